//! Admins' keys: issue, list, revoke. The key itself is shown once.

use super::keys::{self, New};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::keys::{AccessKeyBody, AccessKeyIssued, AdminPath, NewAccessKey};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::credential::Purpose;
use rollcall_domain::organization::OrganizationCommand;
use rollcall_door::callers::Operator;
use rollcall_door::{App, Given, Refusal};
use std::sync::Arc;

/// Issues a key with which somebody may change this organization, and nothing else.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/admins",
    tag = "admins",
    params(OrganizationPath),
    request_body = NewAccessKey,
    security(("operator" = [])),
    responses(
        (status = 201, body = AccessKeyIssued),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn issue(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
    Given(new): Given<NewAccessKey>,
) -> Result<(StatusCode, Json<AccessKeyIssued>), Refusal> {
    let organization = operator.organization(&app, &path.organization).await?.id;
    let New { credential, secret, command } =
        keys::draw(&app, Purpose::Administration, new.label, new.expires_at);
    operator
        .execute(&app, organization, OrganizationCommand::Credential(command), StatusCode::CREATED)
        .await?;
    Ok((
        StatusCode::CREATED,
        Json(AccessKeyIssued { key_id: credential.0, key: secret, expires_at: new.expires_at }),
    ))
}

/// All of these keys.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/admins",
    tag = "admins",
    params(OrganizationPath),
    security(("operator" = [])),
    responses(
        (status = 200, body = Vec<AccessKeyBody>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
) -> Result<Json<Vec<AccessKeyBody>>, Refusal> {
    let organization = operator.organization(&app, &path.organization).await?.id;
    let now = app.engine.clock.now();
    let rows = keys::list(&app, organization, Purpose::Administration).await?;
    Ok(Json(rows.into_iter().map(|row| keys::body(row, now)).collect()))
}

/// Revokes a key, at once and on every server.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{organization}/admins/{key}",
    tag = "admins",
    params(AdminPath),
    security(("operator" = [])),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn revoke(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<AdminPath>,
) -> Result<StatusCode, Refusal> {
    let organization = operator.organization(&app, &path.organization).await?.id;
    let command = keys::revoke(path.key, Purpose::Administration);
    operator
        .execute(&app, organization, OrganizationCommand::Credential(command), keys::REVOKED)
        .await?;
    Ok(keys::REVOKED)
}
