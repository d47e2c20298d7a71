//! Importing Entra's own log, and taking back what was imported.

use crate::provisioning_log::{ParseError, parse};
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::provisioning_log::{ForgetImport, ForgottenBody, ImportedBody};
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::organization::OrganizationCommand;
use rollcall_domain::provisioning_log::ImportedChange;
use rollcall_door::App;
use rollcall_door::callers::Admin;
use rollcall_door::{Given, Refusal};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Longest export taken at once, in bytes.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// How many are about somebody who is or was here.
async fn matched(
    app: &App,
    organization: OrganizationId,
    changes: &[(String, ImportedChange)],
) -> Result<u64, Refusal> {
    let views = app.audit.of(organization).await?;
    let (mut known, mut matched) = (HashMap::new(), 0);
    for target in changes.iter().filter_map(|(_, change)| change.target.as_deref()) {
        let is_known = match known.get(target) {
            Some(is_known) => *is_known,
            None => {
                let is_known = match target.parse() {
                    Ok(id) => views.history.ever(organization, ResourceId(id)).await?,
                    Err(_) => false,
                };
                known.insert(target, is_known);
                is_known
            }
        };
        matched += u64::from(is_known);
    }
    Ok(matched)
}

/// Imports an export of Entra's provisioning log: JSON as Microsoft Graph has it, or the portal's
/// CSV. One in which nothing is about anybody here is refused.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/provisioning-log",
    tag = "audit",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    request_body(
        content = String,
        content_type = "application/octet-stream",
        description = "The export, JSON or CSV",
    ),
    responses(
        (status = 200, body = ImportedBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 413, body = Problem),
    ),
)]
pub async fn import(
    admin: Admin,
    State(app): State<Arc<App>>,
    body: Body,
) -> Result<Json<ImportedBody>, Refusal> {
    let too_long = |_| {
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "the export broke off or is longer than {MOST_BYTES} bytes: import it in parts"
            ),
        )
    };
    let bytes = to_bytes(body, MOST_BYTES).await.map_err(too_long)?;
    let parsed = tokio::task::spawn_blocking(move || parse(&bytes)).await?;
    let changes = parsed.map_err(|e| match e {
        ParseError::TooMany => Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, e.to_string()),
        ParseError::NotALog(_) | ParseError::Entry { .. } => Refusal::bad_request(e.to_string()),
    })?;
    let entries = changes.len() as u64;
    let matched = matched(&app, admin.organization.id, &changes).await?;
    if matched == 0 && changes.iter().any(|(_, change)| change.target.is_some()) {
        return Err(Refusal::conflict(format!(
            "none of the {entries} entries is about a user or group that is or was here: is this the log of another application?"
        )));
    }
    let cycles = changes.iter().map(|(cycle, _)| cycle).collect::<BTreeSet<_>>().len() as u64;
    let done = admin
        .execute(&app, OrganizationCommand::ImportProvisioningLog { changes }, StatusCode::OK)
        .await?;
    Ok(Json(ImportedBody { entries, cycles, matched, positions: done.appended.positions }))
}

/// Takes back what was imported: runs are judged by the traffic alone again.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/provisioning-log/forget",
    tag = "audit",
    params(OrganizationPath),
    request_body = ForgetImport,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = ForgottenBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn forget(
    admin: Admin,
    State(app): State<Arc<App>>,
    Given(asked): Given<ForgetImport>,
) -> Result<Json<ForgottenBody>, Refusal> {
    if asked.all != asked.cycles.is_empty() {
        return Err(Refusal::bad_request("name the cycles, or say all: true".to_owned()));
    }
    let command = OrganizationCommand::ForgetProvisioningLog { cycles: asked.cycles };
    let done = admin.execute(&app, command, StatusCode::OK).await?;
    Ok(Json(ForgottenBody { positions: done.appended.positions }))
}
