//! An organization is erased as a whole, because an operator says so and why.

use super::because::because;
use super::erasure::{refused, told_everything};
use crate::audit::held;
use axum::Json;
use axum::extract::{Path, State};
use rollcall_contract::Problem;
use rollcall_contract::erasure::{EraseOrganization, ErasedOrganizationBody};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::body_hashes::Sha256Hash;
use rollcall_domain::ids::OrganizationId;
use rollcall_door::callers::Operator;
use rollcall_door::{App, Given, Refusal};
use rollcall_engine::OrganizationTraces;
use std::sync::Arc;

/// Erases an organization: deletes everybody in it, switches it off for good, and destroys every key that what is personal
/// in its log was sealed with. What was done, when and by whom stays, and so does the ledger.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/erase",
    tag = "operation",
    params(OrganizationPath),
    request_body = EraseOrganization,
    security(("operator" = [])),
    responses(
        (status = 200, body = ErasedOrganizationBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn erase(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
    Given(asked): Given<EraseOrganization>,
) -> Result<Json<ErasedOrganizationBody>, Refusal> {
    let organization = operator.organization(&app, &path.organization).await?.id;
    let why = because(&asked.because)?;
    if asked.dry_run {
        let traces = app.engine.organization_traces(organization).await.map_err(refused)?;
        return Ok(Json(body(&app, organization, traces, true).await?));
    }
    let held = held(&app, organization).await?.len();
    if held > 0 {
        return Err(Refusal::conflict(format!(
            "{held} people of this organization are held, and nobody may erase them: see `rollcall person holds` for why, and release them first"
        )));
    }
    // Also if whoever asked goes away.
    let done = tokio::spawn(async move {
        let done = app.engine.erase_organization(organization, &why, &operator.actor).await;
        body(&app, organization, done.map_err(refused)?, false).await
    });
    Ok(Json(done.await??))
}

async fn body(
    app: &App,
    organization: OrganizationId,
    traces: OrganizationTraces,
    dry_run: bool,
) -> Result<ErasedOrganizationBody, Refusal> {
    let ledger = app.engine.log.ledger_head(organization).await?.frontier;
    Ok(ErasedOrganizationBody {
        organization_id: organization.0,
        dry_run,
        erased_at: traces.erased_at,
        held: held(app, organization).await?.into_iter().map(|hold| hold.user_id).collect(),
        records: traces.records,
        exchanges: traces.exchanges,
        keys: traces.keys,
        consumers: told_everything(app, organization).await?,
        ledger_size: ledger.size(),
        ledger_root: Sha256Hash(ledger.root().0).to_string(),
    })
}
