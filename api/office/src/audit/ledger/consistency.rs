//! That a later tree began with an earlier one.

use super::refused;
use crate::ledgers::Ledgers;
use axum::Json;
use axum::extract::{Query, State};
use rollcall_contract::Problem;
use rollcall_contract::ledger::{ConsistencyBody, ConsistencyQuery};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::log::stored;
use rollcall_door::callers::Auditor;
use rollcall_door::{App, Refusal};
use std::sync::Arc;

/// Proves that the tree of one size began with the tree of another (RFC 9162 section 2.1.4).
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/ledger/consistency",
    tag = "ledger",
    params(OrganizationPath, ConsistencyQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = ConsistencyBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn consistency(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    State(ledgers): State<Ledgers>,
    Query(query): Query<ConsistencyQuery>,
) -> Result<Json<ConsistencyBody>, Refusal> {
    let ConsistencyQuery { old, new } = query;
    let (log, organization) = (stored(&app.engine.log), auditor.organization);
    let log = &*log;
    let size = log.ledger_head(organization).await?.frontier.size();
    if new > size {
        return Err(Refusal::bad_request(format!("the tree has {size} leaves, not {new}")));
    }
    let grove = ledgers.grove(organization).await;
    let path = grove.lock().await.consistency(log, organization, old, new).await;
    let path = path.map_err(refused)?.iter().map(ToString::to_string).collect();
    Ok(Json(ConsistencyBody { old, new, path }))
}
