//! Requests: the list, and one with everything that was kept of it.

use super::paging::{filled, next};
use crate::signing::Reader;
use crate::trouble::Trouble;
use crate::view::{Frame, Name, Said, When, shown};
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use rollcall_contract::exchanges::{ExchangeBody, ExchangePath, ExchangeQuery, ExchangeSummary};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// Which requests.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    failed: Option<String>,
    operation: Option<String>,
    subject: Option<String>,
    run: Option<String>,
    cursor: Option<String>,
}

/// A request in a list.
pub struct Line {
    /// Where it is.
    pub href: String,
    /// Its number.
    pub number: u64,
    /// When it came.
    pub at: When,
    /// What was asked for.
    pub operation: String,
    /// Method and target.
    pub asked: Name,
    /// The answer.
    pub status: u16,
    /// Whether that is an error.
    pub failed: bool,
    /// The liberties that were taken to read it.
    pub readings: String,
    /// How long it took, in milliseconds.
    pub millis: String,
}

/// A request in a list.
pub fn line(slug: &str, body: &ExchangeSummary) -> Line {
    let readings = body.interpretations.as_array().into_iter().flatten();
    let readings = readings.filter_map(|r| r["reading"].as_str().or(r.as_str()));
    Line {
        href: format!("/o/{slug}/requests/{}", body.id),
        number: body.number,
        at: When(body.received_at),
        operation: body.operation.clone(),
        asked: Name(format!("{} {}", body.method, body.target)),
        status: body.status,
        failed: body.status >= 400,
        readings: readings.collect::<Vec<_>>().join(", "),
        millis: format!("{:.1}", body.duration_us as f64 / 1_000.0),
    }
}

#[derive(Template)]
#[template(path = "requests.html")]
struct List {
    frame: Frame,
    slug: String,
    rows: Vec<Line>,
    failed: bool,
    operation: String,
    subject: String,
    run: String,
    next: Option<String>,
}

/// The list.
pub async fn list(reader: Reader, Query(wanted): Query<Wanted>) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let run = filled(&wanted.run).map(|run| run.parse::<Uuid>());
    let run = run.transpose().map_err(|_| Trouble::nothing())?;
    let query = ExchangeQuery {
        failed: wanted.failed.is_some(),
        operation: filled(&wanted.operation),
        subject: filled(&wanted.subject),
        run,
        limit: Some(50),
        cursor: filled(&wanted.cursor),
        ..ExchangeQuery::default()
    };
    let of = OrganizationPath::of(slug.clone());
    let (rows, cursor) = reader
        .asker()
        .page::<Vec<ExchangeSummary>>(route::LIST_EXCHANGES.line(&of, &query))
        .await?;
    let (operation, subject) =
        (query.operation.unwrap_or_default(), query.subject.unwrap_or_default());
    let run = run.map(|run| run.to_string()).unwrap_or_default();
    let kept = [
        ("failed", if query.failed { "on" } else { "" }),
        ("operation", operation.as_str()),
        ("subject", subject.as_str()),
        ("run", run.as_str()),
    ];
    let page = List {
        rows: rows.iter().map(|body| line(&slug, body)).collect(),
        next: next(&format!("/o/{slug}/requests"), &kept, cursor.as_deref()),
        failed: query.failed,
        operation,
        subject,
        run,
        frame: reader.frame("Requests", "requests"),
        slug,
    };
    Ok(shown(&page))
}

#[derive(Template)]
#[template(path = "request.html")]
struct Show {
    frame: Frame,
    id: String,
    number: u64,
    at: When,
    operation: String,
    asked: Said,
    status: u64,
    failed: bool,
    source: String,
    caller: String,
    detail: Option<Said>,
    positions: Option<(u64, u64)>,
    readings: Vec<(String, String)>,
    headers: Vec<(String, Said)>,
    request_body: Option<String>,
    answer_body: Option<String>,
    is_binary: bool,
}

/// One request.
pub async fn show(reader: Reader, Path(path): Path<ExchangePath>) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let path = ExchangePath { organization: slug.clone(), ..path };
    let body: ExchangeBody = reader.asker().ask(route::SHOW_EXCHANGE.line(&path, &Nothing)).await?;
    let exchange = &body.exchange;
    let text = |name: &str| exchange[name].as_str().unwrap_or_default().to_owned();
    let status = exchange["answer"]["status"].as_u64().unwrap_or(0);
    let headers = exchange["headers"].as_array().into_iter().flatten().filter_map(|pair| {
        let pair = pair.as_array()?;
        let of = |at: usize| pair.get(at).and_then(Value::as_str).unwrap_or_default();
        Some((of(0).to_owned(), Said::from(of(1))))
    });
    let readings = exchange["interpretations"].as_array().into_iter().flatten();
    let readings = readings.map(|reading| {
        let of = |name: &str| reading[name].as_str().unwrap_or_default().to_owned();
        (of("reading"), of("at"))
    });
    let caller = &exchange["caller"];
    let kind = crate::tell::actor(caller["kind"].as_str().unwrap_or_default()).to_owned();
    let page = Show {
        id: path.exchange.to_string(),
        number: body.number,
        at: When(text("received_at").parse().unwrap_or_default()),
        operation: text("operation"),
        asked: Said(format!("{} {}", text("method"), text("target"))),
        status,
        failed: status >= 400,
        source: text("source"),
        caller: match caller["name"].as_str() {
            Some(name) => format!("{kind} {name}"),
            None => kind,
        },
        detail: exchange["answer"]["detail"].as_str().map(Said::from),
        positions: body.positions,
        readings: readings.collect(),
        headers: headers.collect(),
        is_binary: body.request_body_base64.is_some(),
        request_body: body.request_body.map(|body| pretty(&body)).filter(|b| !b.is_empty()),
        answer_body: body.answer_body.map(|body| pretty(&body)).filter(|b| !b.is_empty()),
        frame: reader.frame("Request", "requests"),
    };
    Ok(shown(&page))
}

/// JSON on lines of its own; anything else as it is.
fn pretty(body: &str) -> String {
    let value = serde_json::from_str::<Value>(body).ok();
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    pretty.unwrap_or_else(|| body.to_owned())
}
