//! Runs: sync cycles, on-demand runs, connection tests.

use super::events::{self, EventBody};
use super::guard::Auditor;
use super::paging;
use crate::admin::OrganizationPath;
use axum::Json;
use axum::extract::{Path, Query, State};
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_domain::ids::{OrganizationId, RunId};
use rollcall_domain::run::{Pulse, RunKind, SILENCE};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_projections::events::EventFilter;
use rollcall_projections::exchanges::Start;
use rollcall_projections::runs::{RunFilter, RunRow};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which runs.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct RunQuery {
    /// Only this kind: `initial`, `incremental`, `restart`, `on-demand`, `connection-test`, `account-discovery`, `other-client`.
    pub kind: Option<String>,
    /// Only those with failures.
    pub failed: bool,
    /// Only those that changed something.
    pub changed: bool,
    /// Only runs that began after the exchange with this number, oldest first.
    pub after: Option<u64>,
    /// Only runs that began before the exchange with this number, newest first; the newest of all if neither is given.
    pub before: Option<u64>,
    /// At most so many; 50 if absent, 1000 at most.
    pub limit: Option<usize>,
}

/// A run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunBody {
    /// Its id.
    pub run: Uuid,
    /// What it was.
    pub kind: String,
    /// How sure that is: `low`, `medium`, `high`, or `confirmed` by Entra's own log.
    pub confidence: String,
    /// What that was concluded from, in words.
    pub evidence: Vec<String>,
    /// The same for programs.
    pub facts: Value,
    /// `open` while it may still go on, else `ended`.
    pub state: String,
    /// When its first exchange came in.
    pub began_at: DateTime<Utc>,
    /// When its last exchange came in.
    pub ended_at: DateTime<Utc>,
    /// Seconds between the two.
    pub seconds: f64,
    /// Number of its first exchange.
    pub first_number: u64,
    /// Its first exchange.
    pub first_exchange: Uuid,
    /// Number of its last exchange.
    pub last_number: u64,
    /// The token it came with.
    pub token: Uuid,
    /// Addresses it came from, at most eight.
    pub sources: Vec<String>,
    /// Exchanges.
    pub exchanges: u64,
    /// Exchanges by operation.
    pub operations: BTreeMap<String, u64>,
    /// Exchanges that changed something.
    pub changes: u64,
    /// Events they caused.
    pub events: u64,
    /// Exchanges answered with an error.
    pub failures: u64,
    /// Exchanges that tried again what failed in an earlier run.
    pub retries: u64,
    /// Users asked for or changed; an estimate above 64.
    pub users: u64,
    /// Groups asked for or changed; an estimate above 64.
    pub groups: u64,
    /// Resources written to; an estimate above 64.
    pub written: u64,
    /// Seconds since the cycle before it began.
    pub since_previous_seconds: Option<i64>,
    /// Seconds that usually lie between two cycles.
    pub usual_seconds: Option<i64>,
    /// Cycles that should have come in between.
    pub missed: Option<i64>,
}

impl RunBody {
    pub(super) fn new(row: RunRow, now: DateTime<Utc>) -> Self {
        let open = row.open && now - row.ended <= SILENCE;
        Self {
            run: row.id.0,
            kind: row.kind.as_str().to_owned(),
            confidence: row.confidence.as_str().to_owned(),
            evidence: row.evidence.iter().map(ToString::to_string).collect(),
            facts: json!(row.evidence),
            state: if open { "open" } else { "ended" }.to_owned(),
            began_at: row.began,
            ended_at: row.ended,
            seconds: (row.ended - row.began).as_seconds_f64(),
            first_number: row.first,
            first_exchange: row.first_exchange.0,
            last_number: row.last,
            token: row.token.0,
            sources: row.sources,
            exchanges: row.exchanges,
            operations: row.operations,
            changes: row.changes,
            events: row.events,
            failures: row.failures,
            retries: row.retries,
            users: row.users,
            groups: row.groups,
            written: row.written,
            since_previous_seconds: row.place.map(|p| p.since_previous),
            usual_seconds: row.place.map(|p| p.usual),
            missed: row.place.map(|p| p.missed),
        }
    }
}

/// Runs of an organization.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/runs", tag = "audit", params(OrganizationPath, RunQuery), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = Vec<RunBody>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn list(
    _: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
    Query(query): Query<RunQuery>,
) -> Result<Json<Vec<RunBody>>, Refusal> {
    let organization = folded(&app, &path).await?;
    let kind = query.kind.map(|kind| {
        let kinds = RunKind::ALL.map(RunKind::as_str).join(", ");
        RunKind::parse(&kind).ok_or_else(|| Refusal::bad_request(format!("there is no kind {kind:?}; the kinds are {kinds}")))
    });
    let filter = RunFilter {
        kind: kind.transpose()?,
        failed: query.failed,
        changed: query.changed,
        from: match (query.after, query.before) {
            (Some(after), _) => Start::After(after),
            (None, Some(before)) => Start::Before(before),
            (None, None) => Start::Latest,
        },
    };
    let limit = query.limit.unwrap_or(50).clamp(1, 1_000);
    let rows = app.runs.list(organization, &filter, limit).await?;
    let now = app.engine.clock.now();
    Ok(Json(rows.into_iter().map(|row| RunBody::new(row, now)).collect()))
}

/// The run in a path.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RunPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Id of the run.
    pub run: Uuid,
}

/// One run.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/runs/{run}", tag = "audit", params(RunPath), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = RunBody), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn show(_: Auditor, State(app): State<Arc<App>>, Path(path): Path<RunPath>) -> Result<Json<RunBody>, Refusal> {
    let (_, row) = find(&app, path).await?;
    Ok(Json(RunBody::new(row, app.engine.clock.now())))
}

/// Which changes of a run.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ChangeQuery {
    /// Only changes after this position.
    pub after: u64,
    /// At most so many; 100 if absent, 1000 at most.
    pub limit: Option<usize>,
}

/// The events that a run caused, in the order in which they were committed.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/runs/{run}/changes", tag = "audit", params(RunPath, ChangeQuery), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = Vec<EventBody>), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn changes(
    _: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<RunPath>,
    Query(query): Query<ChangeQuery>,
) -> Result<Json<Vec<EventBody>>, Refusal> {
    let organization = folded(&app, &OrganizationPath { organization: path.organization }).await?;
    let among = events::of_run(&app, organization, RunId(path.run)).await?;
    let filter = EventFilter { among: Some(among), after: query.after, ..EventFilter::default() };
    let limit = paging::limit(query.limit);
    events::page(&app, organization, &filter, limit).await.map(Json).map_err(Refusal::from)
}

/// Whether an organization's cycles still come.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RhythmBody {
    /// `never`, `regular`, `late`, `silent`, or `stretched` as by a job in quarantine.
    pub state: String,
    /// When the last cycle began.
    pub last_cycle_at: Option<DateTime<Utc>>,
    /// Seconds since then.
    pub age_seconds: Option<i64>,
    /// Seconds that usually lie between two cycles.
    pub usual_seconds: Option<i64>,
}

/// Whether an organization's cycles still come, and when the last one did.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/rhythm", tag = "audit", params(OrganizationPath), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = RhythmBody), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn rhythm(_: Auditor, State(app): State<Arc<App>>, Path(path): Path<OrganizationPath>) -> Result<Json<RhythmBody>, Refusal> {
    let organization = folded(&app, &path).await?;
    let rhythm = app.runs.rhythm(organization).await?;
    let now = app.engine.clock.now();
    Ok(Json(RhythmBody {
        state: rhythm.as_ref().map_or(Pulse::Never, |r| r.pulse(now)).as_str().to_owned(),
        last_cycle_at: rhythm.as_ref().and_then(|r| r.last()),
        age_seconds: rhythm.as_ref().and_then(|r| r.since(now)).map(|since| since.num_seconds()),
        usual_seconds: rhythm.map(|r| r.usual().num_seconds()),
    }))
}

/// The organization of a path, with everything folded that runs are read from.
pub(super) async fn folded(app: &App, path: &OrganizationPath) -> Result<OrganizationId, Refusal> {
    let organization = path.find(app).await?.id;
    app.audit.fold(organization).await?;
    Ok(organization)
}

async fn find(app: &App, path: RunPath) -> Result<(OrganizationId, RunRow), Refusal> {
    let organization = folded(app, &OrganizationPath { organization: path.organization }).await?;
    let found = app.runs.get(organization, RunId(path.run)).await?;
    found.map(|row| (organization, row)).ok_or_else(|| Refusal::not_found(format!("there is no run {} here", path.run)))
}
