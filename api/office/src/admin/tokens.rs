//! SCIM tokens: issue, list, revoke. The token itself is shown once.

use super::connection::sso_is_ready;
use super::keys::{self, New};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::tokens::{NewToken, TokenBody, TokenIssued, TokenPath};
use rollcall_domain::credential::{Proof, Purpose};
use rollcall_domain::organization::OrganizationCommand;
use rollcall_door::App;
use rollcall_door::callers::Admin;
use rollcall_door::{Given, Refusal};
use rollcall_projections::credentials::CredentialRow;
use std::sync::Arc;

fn body(row: CredentialRow, now: DateTime<Utc>) -> TokenBody {
    let state = row.state(now).as_str().to_owned();
    TokenBody {
        token_id: row.id.0,
        label: row.label,
        state,
        issued_at: row.issued,
        expires_at: row.expires,
        revoked_at: row.revoked,
        last_used_at: row.last_used,
    }
}

/// Issues a token; enables SCIM if it never was.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/scim/tokens",
    tag = "scim",
    params(OrganizationPath),
    request_body = NewToken,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 201, body = TokenIssued),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn issue(
    admin: Admin,
    State(app): State<Arc<App>>,
    Given(new): Given<NewToken>,
) -> Result<(StatusCode, Json<TokenIssued>), Refusal> {
    let organization = &admin.organization;
    let New { credential, secret, command } =
        keys::draw(&app, Purpose::Scim, new.label, new.expires_at);
    admin.execute(&app, OrganizationCommand::Credential(command), StatusCode::CREATED).await?;
    let sso_ready = sso_is_ready(&app, organization.id).await?;
    let issued = TokenIssued {
        token_id: credential.0,
        sso_ready,
        tenant_url: app.scim_base.to_string(),
        token: secret,
        expires_at: new.expires_at,
    };
    Ok((StatusCode::CREATED, Json(issued)))
}

/// All tokens of an organization.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/scim/tokens",
    tag = "scim",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = Vec<TokenBody>),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    admin: Admin,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<TokenBody>>, Refusal> {
    let organization = &admin.organization;
    let now = app.engine.clock.now();
    let rows = keys::list(&app, organization.id, Purpose::Scim).await?;
    let tokens = rows.into_iter().filter(|row| matches!(row.proof, Proof::Token { .. }));
    Ok(Json(tokens.map(|row| body(row, now)).collect()))
}

/// Revokes a token, at once and on every server.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{organization}/scim/tokens/{token}",
    tag = "scim",
    params(TokenPath),
    security(("operator" = []), ("admin" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
)]
pub async fn revoke(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<TokenPath>,
) -> Result<StatusCode, Refusal> {
    let command = keys::revoke(path.token, Purpose::Scim);
    admin.done(&app, OrganizationCommand::Credential(command)).await
}
