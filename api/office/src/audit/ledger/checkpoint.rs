//! The tree as it is now, signed.

use crate::ledgers;
use axum::Json;
use axum::extract::State;
use rollcall_contract::Problem;
use rollcall_contract::ledger::CheckpointBody;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::log::REWRITTEN_FROM;
use rollcall_door::callers::Auditor;
use rollcall_door::{App, Refusal};
use rollcall_evidence::signed::Signed;
use std::sync::Arc;

/// A checkpoint of the ledger, signed now and kept.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/ledger/checkpoint",
    tag = "ledger",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = CheckpointBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn checkpoint(
    auditor: Auditor,
    State(app): State<Arc<App>>,
) -> Result<Json<CheckpointBody>, Refusal> {
    let Signed { note, statement, key } = ledgers::sign(&app, auditor.organization).await?;
    ledgers::keep(&app, &note, &key)?;
    let rewritten_from = app.engine.log.note(REWRITTEN_FROM).await?;
    Ok(Json(CheckpointBody {
        checkpoint: note,
        key,
        origin: statement.origin,
        size: statement.size,
        root: statement.root.to_string(),
        records: statement.head.position,
        exchanges: statement.head.exchange_number,
        uncovered: statement.uncovered,
        epoch: statement.epoch,
        rewritten_from: rewritten_from.and_then(|epoch| epoch.parse().ok()),
    }))
}
