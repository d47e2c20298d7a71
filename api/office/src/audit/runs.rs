//! Runs: sync cycles, on-demand runs, connection tests.

use super::events;
use super::paging::{Listed, Page};
use super::start::start;
use super::subjects;
use super::there;
use axum::Json;
use axum::extract::{Path, Query, State};
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_contract::events::EventBody;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::runs::{ChangeQuery, RhythmBody, RunBody, RunPath, RunQuery};
use rollcall_domain::ids::{OrganizationId, RunId};
use rollcall_domain::run::{Pulse, RunKind, SILENCE};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::Auditor;
use rollcall_projections::events::EventFilter;
use rollcall_projections::runs::{RunFilter, RunRow};
use serde_json::json;
use std::sync::Arc;

/// So many runs a page has, if nobody says.
const USUAL: usize = 50;

/// A run, as it is now.
pub(super) fn body(row: RunRow, now: DateTime<Utc>) -> RunBody {
    let open = row.open && now - row.ended <= SILENCE;
    RunBody {
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

/// Runs of an organization.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/runs",
    tag = "audit",
    params(OrganizationPath, RunQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = Vec<RunBody>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    Auditor { organization, .. }: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<RunQuery>,
) -> Result<Listed<Vec<RunBody>>, Refusal> {
    let query = RunQuery { limit: query.limit.or(Some(USUAL)), ..query };
    let page = Page::of(&query, &format!("{organization} runs"))?;
    let kind = query.kind.as_ref().map(|kind| {
        RunKind::parse(kind)
            .ok_or_else(|| Refusal::not_among("kind", kind, RunKind::ALL.map(RunKind::as_str)))
    });
    let end = page.end(app.engine.log.head(organization).await?.exchange_number);
    let filter = RunFilter {
        kind: kind.transpose()?,
        failed: query.failed,
        changed: query.changed,
        from: start(query.after, query.before, page.place(), end)?,
    };
    let views = app.audit.of(organization).await?;
    let mut rows = views.runs.list(organization, &filter, page.fetch()).await?;
    rows.retain(|row| row.first <= end);
    let next = page.cut(&mut rows, |row| row.first);
    let now = app.engine.clock.now();
    Ok(page.listed(rows.into_iter().map(|row| body(row, now)).collect(), next, end))
}

/// One run.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/runs/{run}",
    tag = "audit",
    params(RunPath),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = RunBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn show(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<RunPath>,
) -> Result<Json<RunBody>, Refusal> {
    let row = find(&app, auditor.organization, path.run).await?;
    Ok(Json(body(row, app.engine.clock.now())))
}

/// The events that a run caused, in the order in which they were committed.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/runs/{run}/changes",
    tag = "audit",
    params(RunPath, ChangeQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = Vec<EventBody>),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn changes(
    Auditor { organization, .. }: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<RunPath>,
    Query(query): Query<ChangeQuery>,
) -> Result<Listed<Vec<EventBody>>, Refusal> {
    let page = Page::of(&query, &format!("{organization} changes {}", path.run))?;
    let end = page.end(app.engine.log.head(organization).await?.position);
    there::within("after", "position", query.after, end)?;
    let views = app.audit.of(organization).await?;
    let among = events::of_run(&views, organization, RunId(path.run)).await?;
    let filter = EventFilter {
        among: Some(among),
        after: page.place().unwrap_or(query.after),
        until: Some(end),
        ..EventFilter::default()
    };
    let found = events::page(&app, Some(&views), organization, &filter, page.fetch()).await;
    let mut found = found?;
    let next = page.cut(&mut found, |event| event.position);
    subjects::add(&app, organization, &mut found).await?;
    Ok(page.listed(found, next, end))
}

/// Whether an organization's cycles still come, and when the last one did.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/rhythm",
    tag = "audit",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = RhythmBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn rhythm(
    Auditor { organization, .. }: Auditor,
    State(app): State<Arc<App>>,
) -> Result<Json<RhythmBody>, Refusal> {
    let rhythm = app.audit.of(organization).await?.runs.rhythm(organization).await?;
    let now = app.engine.clock.now();
    Ok(Json(RhythmBody {
        state: rhythm.as_ref().map_or(Pulse::Never, |r| r.pulse(now)).as_str().to_owned(),
        last_cycle_at: rhythm.as_ref().and_then(|r| r.last()),
        age_seconds: rhythm.as_ref().and_then(|r| r.since(now)).map(|since| since.num_seconds()),
        usual_seconds: rhythm.map(|r| r.usual().num_seconds()),
    }))
}

async fn find(app: &App, organization: OrganizationId, run: uuid::Uuid) -> Result<RunRow, Refusal> {
    let found = app.audit.of(organization).await?.runs.get(organization, RunId(run)).await?;
    found.ok_or_else(|| Refusal::not_found(format!("there is no run {run} here")))
}
