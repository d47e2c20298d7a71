//! Exchanges: every request with what became of it.

use super::exchange_summary::summary;
use super::paging::{Listed, Page};
use super::start::start;
use super::strangers;
use super::there;
use axum::Json;
use axum::extract::{Path, Query, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollcall_contract::Problem;
use rollcall_contract::exchanges::{ExchangeBody, ExchangePath, ExchangeQuery, ExchangeSummary};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::ids::{ExchangeId, OrganizationId, RunId};
use rollcall_domain::log::RecordedExchange;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::Auditor;
use rollcall_projections::exchanges::{ExchangeFilter, ExchangeRow, Start};
use std::sync::Arc;

/// As it is told.
pub(super) fn body(recorded: RecordedExchange) -> Result<ExchangeBody, Refusal> {
    let exchange =
        serde_json::to_value(&recorded.exchange).map_err(|e| Refusal::unavailable(&e))?;
    let (request_body, request_body_base64) =
        match String::from_utf8(recorded.exchange.request_body) {
            Ok(text) => (Some(text).filter(|t| !t.is_empty()), None),
            Err(bytes) => (None, Some(BASE64.encode(bytes.into_bytes()))),
        };
    let answer_body =
        String::from_utf8(recorded.exchange.answer_body).ok().filter(|t| !t.is_empty());
    let (number, positions, after) = (recorded.number, recorded.positions, recorded.after);
    Ok(ExchangeBody {
        number,
        positions,
        after,
        exchange,
        request_body,
        request_body_base64,
        answer_body,
    })
}

/// Exchanges of an organization; those of strangers lie beside the log, while they last. `none` in
/// place of an organization: those whose token named none.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/exchanges",
    tag = "audit",
    params(OrganizationPath, ExchangeQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = Vec<ExchangeSummary>),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<ExchangeQuery>,
) -> Result<Listed<Vec<ExchangeSummary>>, Refusal> {
    let organization = auditor.organization;
    let page = Page::of(&query, &format!("{organization} exchanges"))?;
    if let Some(operation) = &query.operation {
        there::operation(operation)?;
    }
    if query.strangers.unwrap_or(organization == OrganizationId::NONE) {
        return strangers::list(&app, organization, &page, &query).await;
    }
    let end = page.end(app.engine.log.head(organization).await?.exchange_number);
    let filter = ExchangeFilter {
        failed: query.failed,
        unknown_shape: query.unknown_shape,
        operation: query.operation.clone(),
        subject: query.subject.clone(),
        from: start(query.after, query.before, page.place(), end)?,
        ..ExchangeFilter::default()
    };
    let limit = page.fetch();
    let mut rows = match query.run {
        None => app.exchanges.list(organization, &filter, limit).await?,
        Some(run) => of_run(&app, organization, RunId(run), filter, limit).await?,
    };
    if rows.is_empty()
        && let Some(subject) = &query.subject
    {
        let id = subject.parse().map_err(|_| {
            Refusal::parameter("subject", format!("{subject:?} is no id of a user or group"))
        })?;
        there::resource(&app, organization, Some(id)).await?;
    }
    rows.retain(|row| row.number <= end);
    let next = page.cut(&mut rows, |row| row.number);
    Ok(page.listed(rows.into_iter().map(summary).collect(), next, end))
}

/// Exchanges of one run. Which they are is in the auditors' views, what they were in the log.
async fn of_run(
    app: &App,
    organization: OrganizationId,
    run: RunId,
    filter: ExchangeFilter,
    limit: usize,
) -> Result<Vec<ExchangeRow>, Refusal> {
    let views = app.audit.of(organization).await?;
    if views.runs.get(organization, run).await?.is_none() {
        return Err(Refusal::not_found(format!("there is no run {run} here")));
    }
    let mut numbers = views.runs.numbers(organization, run).await?;
    match filter.from {
        Start::After(after) => numbers.retain(|n| *n > after),
        Start::Before(before) => numbers.retain(|n| *n < before),
        Start::Latest => {}
    }
    if !matches!(filter.from, Start::After(_)) {
        numbers.reverse();
    }
    let mut rows = Vec::new();
    for chunk in numbers.chunks(1_000) {
        let filter = ExchangeFilter { numbers: Some(chunk.to_vec()), ..filter.clone() };
        rows.extend(app.exchanges.list(organization, &filter, limit - rows.len()).await?);
        if rows.len() >= limit {
            break;
        }
    }
    Ok(rows)
}

/// One exchange with bodies.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/exchanges/{exchange}",
    tag = "audit",
    params(ExchangePath),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = ExchangeBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn show(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<ExchangePath>,
) -> Result<Json<ExchangeBody>, Refusal> {
    let (organization, id) = (auditor.organization, ExchangeId(path.exchange));
    let found = match app.engine.log.exchange(organization, id).await? {
        None => strangers::exchange(&app, organization, id).await?,
        found => found,
    };
    let found = found.ok_or_else(|| {
        Refusal::not_found(format!("there is no exchange {} here", path.exchange))
    })?;
    body(found).map(Json)
}
