//! Auditors' keys: issue, list, revoke. The key itself is shown once.

use super::guard::{Admin, command, organization_named};
use crate::audit::AUDITOR_PREFIX;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_contract::auditors::{AuditorBody, AuditorIssued, AuditorPath, NewAuditor};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::ids::AuditorId;
use rollcall_domain::organization::OrganizationCommand;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_engine::secrets::sha256_hex;
use rollcall_projections::auditors::AuditorRow;
use std::sync::Arc;

fn body(row: AuditorRow, now: DateTime<Utc>) -> AuditorBody {
    let state = row.state(now).as_str().to_owned();
    AuditorBody {
        auditor_id: row.id.0,
        label: row.label,
        state,
        issued_at: row.issued,
        expires_at: row.expires,
        revoked_at: row.revoked,
        last_used_at: row.last_used,
    }
}

/// Issues a key with which an auditor may read everything about this organization, and change nothing.
#[utoipa::path(post, path = "/api/v1/organizations/{organization}/auditors", tag = "auditors", params(OrganizationPath),
    request_body = NewAuditor, security(("operator" = [])),
    responses((status = 201, body = AuditorIssued), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn issue(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
    body: Result<Json<NewAuditor>, JsonRejection>,
) -> Result<(StatusCode, Json<AuditorIssued>), Refusal> {
    let Json(new) = body.map_err(|e| Refusal::bad_request(e.body_text()))?;
    let organization = organization_named(&app, &path.organization).await?;
    let (auditor, key) = (app.engine.ids.auditor(), app.engine.ids.secret(AUDITOR_PREFIX));
    let issue = OrganizationCommand::IssueAuditorKey { auditor, sha256: sha256_hex(&key), label: new.label, expires_at: new.expires_at };
    command(&app, &admin, organization.id, false, issue).await?;
    Ok((StatusCode::CREATED, Json(AuditorIssued { auditor_id: auditor.0, key, expires_at: new.expires_at })))
}

/// All auditors' keys of an organization.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/auditors", tag = "auditors", params(OrganizationPath), security(("operator" = [])),
    responses((status = 200, body = Vec<AuditorBody>), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn list(_: Admin, State(app): State<Arc<App>>, Path(path): Path<OrganizationPath>) -> Result<Json<Vec<AuditorBody>>, Refusal> {
    let organization = organization_named(&app, &path.organization).await?;
    // The last use comes from the exchanges, which nobody waits for when they only read.
    app.engine.folder.fold(organization.id).await?;
    let now = app.engine.clock.now();
    let rows = app.auditors.list(organization.id).await?;
    Ok(Json(rows.into_iter().map(|row| body(row, now)).collect()))
}

/// Revokes a key, at once and on every server.
#[utoipa::path(delete, path = "/api/v1/organizations/{organization}/auditors/{auditor}", tag = "auditors", params(AuditorPath), security(("operator" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn revoke(admin: Admin, State(app): State<Arc<App>>, Path(path): Path<AuditorPath>) -> Result<StatusCode, Refusal> {
    let organization = organization_named(&app, &path.organization).await?;
    command(&app, &admin, organization.id, false, OrganizationCommand::RevokeAuditorKey { auditor: AuditorId(path.auditor) }).await?;
    Ok(StatusCode::NO_CONTENT)
}
