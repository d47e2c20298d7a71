//! Operators' keys: issue, list, revoke. The key itself is shown once.

use super::keys::{self, New};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::keys::{AccessKeyBody, AccessKeyIssued, NewAccessKey, OperatorPath};
use rollcall_domain::credential::Purpose;
use rollcall_domain::ids::OrganizationId;
use rollcall_door::callers::Operator;
use rollcall_door::{App, Given, Refusal};
use std::sync::Arc;

/// Issues a key with which somebody may change everything, under a name of their own.
#[utoipa::path(
    post,
    path = "/api/v1/operators",
    tag = "operators",
    request_body = NewAccessKey,
    security(("operator" = [])),
    responses(
        (status = 201, body = AccessKeyIssued),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn issue(
    operator: Operator,
    State(app): State<Arc<App>>,
    Given(new): Given<NewAccessKey>,
) -> Result<(StatusCode, Json<AccessKeyIssued>), Refusal> {
    let New { credential, secret, command } =
        keys::draw(&app, Purpose::Operation, new.label, new.expires_at);
    operator.change_operators(&app, command, StatusCode::CREATED).await?;
    Ok((
        StatusCode::CREATED,
        Json(AccessKeyIssued { key_id: credential.0, key: secret, expires_at: new.expires_at }),
    ))
}

/// All of these keys.
#[utoipa::path(
    get,
    path = "/api/v1/operators",
    tag = "operators",
    security(("operator" = [])),
    responses(
        (status = 200, body = Vec<AccessKeyBody>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ),
)]
pub async fn list(
    _: Operator,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<AccessKeyBody>>, Refusal> {
    let now = app.engine.clock.now();
    let rows = keys::list(&app, OrganizationId::NONE, Purpose::Operation).await?;
    Ok(Json(rows.into_iter().map(|row| keys::body(row, now)).collect()))
}

/// Revokes a key, at once and on every server.
#[utoipa::path(
    delete,
    path = "/api/v1/operators/{key}",
    tag = "operators",
    params(OperatorPath),
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
    Path(path): Path<OperatorPath>,
) -> Result<StatusCode, Refusal> {
    let command = keys::revoke(path.key, Purpose::Operation);
    operator.change_operators(&app, command, keys::REVOKED).await?;
    Ok(keys::REVOKED)
}
