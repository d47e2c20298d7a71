//! Exchanges: every request with what became of it.

use super::guard::Auditor;
use super::paging;
use crate::admin::OrganizationPath;
use axum::Json;
use axum::extract::{Path, Query, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_domain::ids::{ExchangeId, OrganizationId, RunId};
use rollcall_domain::log::RecordedExchange;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_projections::exchanges::{ExchangeFilter, ExchangeRow, Start};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which exchanges.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ExchangeQuery {
    /// Only exchanges after this number, oldest first.
    pub after: Option<u64>,
    /// Only exchanges before this number, newest first; the newest of all if neither is given.
    pub before: Option<u64>,
    /// At most so many; 100 if absent, 1000 at most.
    pub limit: Option<usize>,
    /// Only those that were answered with an error.
    pub failed: bool,
    /// Only those with a PATCH shape that is not known.
    pub unknown_shape: bool,
    /// Only this operation, such as `users.patch`.
    pub operation: Option<String>,
    /// Only those about the resource with this id.
    pub subject: Option<String>,
    /// Only those of the run with this id.
    pub run: Option<Uuid>,
}

/// One exchange in a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExchangeSummary {
    /// Place among the organization's exchanges.
    pub number: u64,
    /// Its id.
    pub id: Uuid,
    /// When it began.
    pub received_at: DateTime<Utc>,
    /// What was asked for.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Path and query, shortened.
    pub target: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// SCIM error type.
    pub scim_type: Option<String>,
    /// SCIM error text.
    pub detail: Option<String>,
    /// The resource it was about.
    pub subject: Option<String>,
    /// The token it came with.
    pub token: Option<Uuid>,
    /// The peer's address.
    pub source: Option<String>,
    /// Microseconds from the first byte to the append.
    pub duration_us: u64,
    /// Position of its first event.
    pub first_position: Option<u64>,
    /// Position of its last event.
    pub last_position: Option<u64>,
    /// Liberties taken to read it.
    pub interpretations: Value,
    /// True if it had a shape that is not known.
    pub unknown_shape: bool,
    /// The bulk exchange it is a part of.
    pub parent: Option<Uuid>,
    /// The exchange that the operator submitted again with this one.
    pub replays: Option<Uuid>,
}

impl From<ExchangeRow> for ExchangeSummary {
    fn from(row: ExchangeRow) -> Self {
        Self {
            number: row.number,
            id: row.id.0,
            received_at: row.received_at,
            operation: row.operation,
            method: row.method,
            target: row.target,
            status: row.status,
            scim_type: row.scim_type,
            detail: row.detail,
            subject: row.subject,
            token: row.token.map(|t| t.0),
            source: row.source,
            duration_us: row.duration_us,
            first_position: row.positions.map(|(first, _)| first),
            last_position: row.positions.map(|(_, last)| last),
            interpretations: json!(row.interpretations),
            unknown_shape: row.unknown_shape,
            parent: row.parent.map(|p| p.0),
            replays: row.replays.map(|p| p.0),
        }
    }
}

/// One exchange with everything that was kept of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExchangeBody {
    /// Place among the organization's exchanges.
    pub number: u64,
    /// Positions of its first and last event.
    pub positions: Option<(u64, u64)>,
    /// The organization's position when it was appended.
    pub after: u64,
    /// Request and answer without bodies.
    pub exchange: Value,
    /// The request body as received, secrets removed.
    pub request_body: Option<String>,
    /// The request body in base64, if it is not UTF-8.
    pub request_body_base64: Option<String>,
    /// The body of the answer, unless it was too long to keep.
    pub answer_body: Option<String>,
}

impl ExchangeBody {
    fn new(recorded: RecordedExchange) -> Result<Self, Refusal> {
        let exchange = serde_json::to_value(&recorded.exchange).map_err(|e| Refusal::unavailable(&e))?;
        let (request_body, request_body_base64) = match String::from_utf8(recorded.exchange.request_body) {
            Ok(text) => (Some(text).filter(|t| !t.is_empty()), None),
            Err(bytes) => (None, Some(BASE64.encode(bytes.into_bytes()))),
        };
        let answer_body = String::from_utf8(recorded.exchange.answer_body).ok().filter(|t| !t.is_empty());
        let (number, positions, after) = (recorded.number, recorded.positions, recorded.after);
        Ok(Self { number, positions, after, exchange, request_body, request_body_base64, answer_body })
    }
}

/// Exchanges of an organization. `none` in place of an organization: those whose token named none.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/exchanges", tag = "audit", params(OrganizationPath, ExchangeQuery), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = Vec<ExchangeSummary>), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn list(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<ExchangeQuery>,
) -> Result<Json<Vec<ExchangeSummary>>, Refusal> {
    let organization = auditor.organization;
    // Reads do not wait for their own exchange to be folded; whoever looks at exchanges does.
    app.engine.folder.fold(organization).await?;
    let filter = ExchangeFilter {
        failed: query.failed,
        unknown_shape: query.unknown_shape,
        operation: query.operation,
        subject: query.subject,
        from: match (query.after, query.before) {
            (Some(after), _) => Start::After(after),
            (None, Some(before)) => Start::Before(before),
            (None, None) => Start::Latest,
        },
        ..ExchangeFilter::default()
    };
    let limit = paging::limit(query.limit);
    let rows = match query.run {
        None => app.exchanges.list(organization, &filter, limit).await?,
        Some(run) => of_run(&app, organization, RunId(run), filter, limit).await?,
    };
    Ok(Json(rows.into_iter().map(ExchangeSummary::from).collect()))
}

/// Exchanges of one run. Which they are is in the auditors' views, what they were in the live ones.
async fn of_run(
    app: &App,
    organization: OrganizationId,
    run: RunId,
    filter: ExchangeFilter,
    limit: usize,
) -> Result<Vec<ExchangeRow>, Refusal> {
    app.audit.fold(organization).await?;
    let mut numbers = app.runs.numbers(organization, run).await?;
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

/// The exchange in a path.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ExchangePath {
    /// Id of the exchange.
    pub exchange: Uuid,
}

/// One exchange with bodies.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/exchanges/{exchange}", tag = "audit", params(OrganizationPath, ExchangePath), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = ExchangeBody), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn show(auditor: Auditor, State(app): State<Arc<App>>, Path(path): Path<ExchangePath>) -> Result<Json<ExchangeBody>, Refusal> {
    let found = app.engine.log.exchange(auditor.organization, ExchangeId(path.exchange)).await?;
    let found = found.ok_or_else(|| Refusal::not_found(format!("there is no exchange {} here", path.exchange)))?;
    ExchangeBody::new(found).map(Json)
}
