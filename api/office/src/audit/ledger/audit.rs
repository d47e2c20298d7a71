//! The log held against its ledger, and against what this process has signed of it before.

use crate::ledgers::{self, Ledgers};
use axum::Json;
use axum::extract::State;
use rollcall_contract::Problem;
use rollcall_contract::ledger::Verdict;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_door::callers::Auditor;
use rollcall_door::{App, Refusal};
use std::sync::Arc;

/// Recomputes all leaves from what is stored, and compares them with what is kept: says what
/// differs first, and what must have been done to it. One audit at a time.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/ledger/audit",
    tag = "ledger",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = Verdict),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn audit(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    State(ledgers): State<Ledgers>,
) -> Result<Json<Verdict>, Refusal> {
    let _permit = ledgers.auditing.acquire().await;
    Ok(Json(ledgers::audit(&app, auditor.organization, None).await?))
}
