//! Auditors' keys: issue, list, revoke. The key itself is shown once.

use super::keys::{self, New};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_contract::auditors::{AuditorBody, AuditorIssued, AuditorPath, NewAuditor};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::credential::Purpose;
use rollcall_domain::organization::OrganizationCommand;
use rollcall_door::App;
use rollcall_door::callers::Admin;
use rollcall_door::{Given, Refusal};
use rollcall_projections::credentials::CredentialRow;
use std::sync::Arc;

fn body(row: CredentialRow, now: DateTime<Utc>) -> AuditorBody {
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

/// Issues a key with which an auditor may read everything about this organization, and change
/// nothing.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/auditors",
    tag = "auditors",
    params(OrganizationPath),
    request_body = NewAuditor,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 201, body = AuditorIssued),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn issue(
    admin: Admin,
    State(app): State<Arc<App>>,
    Given(new): Given<NewAuditor>,
) -> Result<(StatusCode, Json<AuditorIssued>), Refusal> {
    let New { credential, secret: key, command } =
        keys::draw(&app, Purpose::Audit, new.label, new.expires_at);
    admin.execute(&app, OrganizationCommand::Credential(command), StatusCode::CREATED).await?;
    Ok((
        StatusCode::CREATED,
        Json(AuditorIssued { auditor_id: credential.0, key, expires_at: new.expires_at }),
    ))
}

/// All auditors' keys of an organization.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/auditors",
    tag = "auditors",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = Vec<AuditorBody>),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    admin: Admin,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<AuditorBody>>, Refusal> {
    let now = app.engine.clock.now();
    let rows = keys::list(&app, admin.organization.id, Purpose::Audit).await?;
    Ok(Json(rows.into_iter().map(|row| body(row, now)).collect()))
}

/// Revokes a key, at once and on every server.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{organization}/auditors/{auditor}",
    tag = "auditors",
    params(AuditorPath),
    security(("operator" = []), ("admin" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
)]
pub async fn revoke(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<AuditorPath>,
) -> Result<StatusCode, Refusal> {
    let command = keys::revoke(path.auditor, Purpose::Audit);
    admin.done(&app, OrganizationCommand::Credential(command)).await
}
