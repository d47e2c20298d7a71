//! SCIM tokens: issue, list, revoke. The token itself is shown once.

use super::connection::sso_is_ready;
use super::guard::{Admin, command, organization_named};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::tokens::{NewToken, TokenBody, TokenIssued, TokenPath};
use rollcall_domain::ids::TokenId;
use rollcall_domain::organization::OrganizationCommand;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_engine::secrets::sha256_hex;
use rollcall_projections::organizations::TokenRow;
use std::sync::Arc;

fn body(row: TokenRow, now: DateTime<Utc>) -> TokenBody {
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
#[utoipa::path(post, path = "/api/v1/organizations/{organization}/scim/tokens", tag = "scim", params(OrganizationPath),
    request_body = NewToken, security(("operator" = [])),
    responses((status = 201, body = TokenIssued), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn issue(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
    body: Result<Json<NewToken>, JsonRejection>,
) -> Result<(StatusCode, Json<TokenIssued>), Refusal> {
    let Json(new) = body.map_err(|e| Refusal::bad_request(e.body_text()))?;
    let organization = organization_named(&app, &path.organization).await?;
    let (token, secret) = (app.engine.ids.token(), app.engine.ids.secret("rollcall_scim_"));
    let issue = OrganizationCommand::IssueToken { token, sha256: sha256_hex(&secret), label: new.label, expires_at: new.expires_at };
    command(&app, &admin, organization.id, false, issue).await?;
    let sso_ready = sso_is_ready(&app, organization.id).await?;
    let issued =
        TokenIssued { token_id: token.0, sso_ready, tenant_url: app.scim_base.to_string(), token: secret, expires_at: new.expires_at };
    Ok((StatusCode::CREATED, Json(issued)))
}

/// All tokens of an organization.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/scim/tokens", tag = "scim", params(OrganizationPath), security(("operator" = [])),
    responses((status = 200, body = Vec<TokenBody>), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn list(_: Admin, State(app): State<Arc<App>>, Path(path): Path<OrganizationPath>) -> Result<Json<Vec<TokenBody>>, Refusal> {
    let organization = organization_named(&app, &path.organization).await?;
    // The last use comes from the exchanges, which nobody waits for when they only read.
    app.engine.folder.fold(organization.id).await?;
    let now = app.engine.clock.now();
    let rows = app.organizations.tokens(organization.id).await?;
    Ok(Json(rows.into_iter().map(|row| body(row, now)).collect()))
}

/// Revokes a token, at once and on every server.
#[utoipa::path(delete, path = "/api/v1/organizations/{organization}/scim/tokens/{token}", tag = "scim", params(TokenPath), security(("operator" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn revoke(admin: Admin, State(app): State<Arc<App>>, Path(path): Path<TokenPath>) -> Result<StatusCode, Refusal> {
    let organization = organization_named(&app, &path.organization).await?;
    command(&app, &admin, organization.id, false, OrganizationCommand::RevokeToken { token: TokenId(path.token) }).await?;
    Ok(StatusCode::NO_CONTENT)
}
