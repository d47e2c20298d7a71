//! Importing Entra's own log.

use crate::provisioning_log::{ParseError, parse};
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::provisioning_log::ImportedBody;
use rollcall_domain::organization::OrganizationCommand;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::Admin;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Longest export taken at once, in bytes.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Imports an export of Entra's provisioning log: JSON as Microsoft Graph has it, or the portal's
/// CSV.
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
    let cycles = changes.iter().map(|(cycle, _)| cycle).collect::<BTreeSet<_>>().len() as u64;
    let done = admin
        .execute(&app, OrganizationCommand::ImportProvisioningLog { changes }, StatusCode::OK)
        .await?;
    Ok(Json(ImportedBody { entries, cycles, positions: done.appended.positions }))
}
