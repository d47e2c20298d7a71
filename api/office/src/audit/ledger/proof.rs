//! That one record or exchange is in the ledger, as a file.

use super::refused;
use crate::ledgers::{self, Ledgers};
use axum::Json;
use axum::extract::{Query, State};
use rollcall_contract::Problem;
use rollcall_contract::ledger::{ProofBody, ProofQuery};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::entry::{ExchangeHashes, exchange_entry, record_entry};
use rollcall_domain::log::{Log, stored};
use rollcall_door::callers::Auditor;
use rollcall_door::{App, Refusal};
use rollcall_evidence::grove::{index_of_exchange, index_of_record};
use rollcall_evidence::verify::proof_file;
use std::sync::Arc;

/// Proves that a record or an exchange is in the ledger: a file that is verified without a server.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/ledger/proof",
    tag = "ledger",
    params(OrganizationPath, ProofQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = ProofBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn proof(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    State(ledgers): State<Ledgers>,
    Query(query): Query<ProofQuery>,
) -> Result<Json<ProofBody>, Refusal> {
    let (log, organization) = (stored(&app.engine.log), auditor.organization);
    let log = &*log;
    let (entry, index) = match (query.position, query.exchange) {
        (Some(position), None) => record(log, organization, position).await?,
        (None, Some(id)) => exchange(log, organization, ExchangeId(id)).await?,
        _ => return Err(Refusal::bad_request("name either a position or an exchange")),
    };
    // Signed after the entry was found: it is in this tree.
    let signed = ledgers::sign(&app, organization).await?;
    let size = signed.statement.size;
    let grove = ledgers.grove(organization).await;
    let path = grove.lock().await.inclusion(log, organization, index, size).await;
    let proof = proof_file(entry, index, path.map_err(refused)?, &signed.note);
    let proof = proof.map_err(|error| Refusal::unavailable(&error))?;
    ledgers::keep(&app, &signed.note, &signed.key)?;
    Ok(Json(ProofBody { proof, key: signed.key, index, size }))
}

/// The entry of a record, and its place.
async fn record(
    log: &dyn Log,
    organization: OrganizationId,
    position: u64,
) -> Result<(Vec<u8>, u64), Refusal> {
    let before =
        position.checked_sub(1).ok_or_else(|| Refusal::not_found("positions begin with 1"))?;
    let found = log.records(organization, before, 1).await?.pop();
    let record = found
        .filter(|record| record.position == position)
        .ok_or_else(|| Refusal::not_found(format!("there is no record at position {position}")))?;
    let head = log.head(organization).await?;
    Ok((record_entry(&record), index_of_record(log, organization, position, head).await?))
}

/// The entry of an exchange, and its place.
async fn exchange(
    log: &dyn Log,
    organization: OrganizationId,
    id: ExchangeId,
) -> Result<(Vec<u8>, u64), Refusal> {
    let found = log.exchange(organization, id).await?;
    let recorded = found.ok_or_else(|| Refusal::not_found(format!("there is no exchange {id}")))?;
    let entry = exchange_entry(&recorded, &ExchangeHashes::of(&recorded.exchange));
    Ok((entry, index_of_exchange(recorded.number, recorded.after)))
}
