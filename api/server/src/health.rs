//! `/healthz`, `/readyz`, `/metrics`.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::PrometheusHandle;
use rollcall_domain::log::{LogError, Trouble};
use rollcall_domain::run::Pulse;
use rollcall_door::App;
use rollcall_door::callers::Inside;
use rollcall_projections::status::ViewStatus;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What is asked how it is.
#[derive(Clone)]
pub struct Health {
    /// The application.
    pub app: Arc<App>,
    /// Renders what was counted, if anything is.
    pub metrics: Option<PrometheusHandle>,
}

/// The process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// What became of real appends and of the views behind them, or of a probe that writes as they do;
/// and whether the live views have caught up. Organizations whose views have stopped are shown and
/// decide nothing: others are served here. Neither do the auditors' views: SCIM does not need them.
pub async fn readyz(State(Health { app, .. }): State<Health>) -> Response {
    let log = app.engine.log.ping().await;
    let views = app.engine.folder.status().await;
    let audit = app.audit.folder().status().await;
    let reasons = reasons(&app, &log).await;
    let mut ready = reasons.is_empty();
    let mut body = json!({ "log": "ok" });
    if let Some((_, sentence)) = reasons.first() {
        body["log"] = json!(sentence);
    }
    match views {
        Ok(views) => {
            let (lag, stopped) = summary(&views);
            ready &= lag < 10_000;
            body["lag"] = json!(lag);
            body["stopped"] = json!(stopped);
        }
        Err(error) => {
            ready = false;
            body["views"] = json!(error.to_string());
        }
    }
    body["audit"] = match audit {
        Ok(_) if app.audit.folder().is_outdated() => {
            json!({ "views": "being rebuilt after an upgrade" })
        }
        Ok(views) => {
            let (lag, stopped) = summary(&views);
            json!({ "lag": lag, "stopped": stopped })
        }
        Err(error) => json!({ "views": error.to_string() }),
    };
    if app.leaving.load(Ordering::SeqCst) {
        ready = false;
        body["leaving"] = json!(true);
    }
    let skew = app.engine.skew();
    body["clock"] = json!({ "skew_seconds": skew.seconds() });
    if skew.is_alarming() {
        body["clock"]["reason"] = json!(CLOCK.0);
        body["clock"]["detail"] = json!(CLOCK.1);
    }
    body["damaged"] = damaged(&app).into();
    if let Some(why) = app.engine.closed() {
        ready = false;
        body["closed"] = json!({ "reason": why.as_str(), "detail": why.to_string() });
    }
    let told = |(reason, detail): &(&str, String)| json!({ "reason": reason, "detail": detail });
    body["reasons"] = reasons.iter().map(told).collect();
    body["ready"] = json!(ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}

/// The views cannot be written, although the log can.
const VIEWS: (&str, &str) = (
    "views",
    "the views cannot be written: look at the room on their disk, at locks, and at `rollcall views status`",
);

/// Clocks are apart. It decides nothing: requests are answered.
pub const CLOCK: (&str, &str) = (
    "clock-skew",
    "clocks are more than 5 s apart: let the system's, and the database's, be set by NTP; if what was recorded is ahead of a clock that is right now, `rollcall log correct-clock`; until then answers about the past may be off by as much",
);

/// All reasons that there are, for metrics.
pub fn all_reasons() -> impl Iterator<Item = &'static str> {
    Trouble::ALL.into_iter().map(Trouble::as_str).chain([VIEWS.0])
}

/// Why nothing can be kept or shown at present, each with its sentence.
pub async fn reasons(app: &App, log: &Result<(), LogError>) -> Vec<(&'static str, String)> {
    let mut reasons = Vec::new();
    match (app.engine.trouble(), log) {
        (Some(trouble), _) => reasons.push((trouble.as_str(), trouble.to_string())),
        (None, Err(error)) => reasons.push((Trouble::Away.as_str(), error.to_string())),
        (None, Ok(())) => {}
    }
    if let Err(error) = app.engine.views_work().await {
        tracing::warn!(%error, "the views cannot be written");
        reasons.push((VIEWS.0, VIEWS.1.to_owned()));
    }
    reasons
}

/// How many records are not folded yet by views that go on, and whose views have stopped, where and
/// why.
fn summary(views: &[ViewStatus]) -> (u64, Vec<Value>) {
    let going = views.iter().filter(|v| v.stopped.is_none());
    let lag = going.map(|v| v.head.saturating_sub(v.position)).sum();
    let stopped = views.iter().filter_map(|v| {
        let stop = v.stopped.as_ref()?;
        let (organization, reason) = (v.organization.to_string(), stop.reason.as_str());
        Some(json!({ "organization": organization, "position": stop.position, "reason": reason }))
    });
    (lag, stopped.collect())
}

/// Records that are missing or cannot be read, as far as somebody looked.
fn damaged(app: &App) -> Vec<Value> {
    let all = app.engine.damage().into_iter();
    let each = all.flat_map(|(organization, found)| {
        found.into_iter().map(move |(position, damage)| {
            let (organization, reason) = (organization.to_string(), damage.as_str());
            json!({ "organization": organization, "position": position, "reason": reason })
        })
    });
    each.collect()
}

/// Prometheus' text format.
pub async fn metrics(State(Health { app, metrics }): State<Health>, request: Request) -> Response {
    if !Inside::is_open(&app, request.extensions()) {
        let told = "metrics are shown at --admin-listen, and by the socket of the data folder\n";
        return (StatusCode::NOT_FOUND, told).into_response();
    }
    measure_cycles(&app).await;
    let rendered = metrics.map(|m| m.render()).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], rendered).into_response()
}

/// How old the last cycle of each organization is, and whether they still come. Measured when
/// asked, because both change while nothing happens.
async fn measure_cycles(app: &App) {
    let now = app.engine.clock.now();
    match app.audit.as_far_as_folded().runs.rhythms().await {
        Ok(rhythms) => {
            for (organization, rhythm) in rhythms {
                let name = organization.to_string();
                let age = rhythm.since(now).map_or(0, |since| since.num_seconds());
                metrics::gauge!("rollcall_last_cycle_age_seconds", "organization" => name.clone())
                    .set(age as f64);
                metrics::gauge!("rollcall_usual_cycle_seconds", "organization" => name.clone())
                    .set(rhythm.usual().num_seconds() as f64);
                let pulse = rhythm.pulse(now);
                for state in Pulse::ALL {
                    let is_so = f64::from(u8::from(state == pulse));
                    metrics::gauge!("rollcall_cycles", "organization" => name.clone(), "state" => state.as_str()).set(is_so);
                }
            }
        }
        Err(error) => tracing::warn!(%error, "the rhythm of the cycles cannot be read"),
    }
}
