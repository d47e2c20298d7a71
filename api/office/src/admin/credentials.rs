//! Credentials of SCIM clients of all kinds: add, list, rotate, retire, trust, revoke. What is
//! secret is shown once.

use super::connection::sso_is_ready;
use super::credential_body::Seen;
use super::keys;
use super::new_proof::{self, Secret};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Duration, Utc};
use rollcall_contract::Problem;
use rollcall_contract::credentials::{
    CredentialAdded, CredentialBody, CredentialPath, NewAudience, NewCredential, NewSecret,
};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::credential::{
    CLIENT_SECRET_PREFIX, CredentialCommand, CredentialIssued, Proof, Purpose,
};
use rollcall_domain::ids::CredentialId;
use rollcall_domain::organization::OrganizationCommand;
use rollcall_door::callers::Admin;
use rollcall_door::{App, Given, Refusal};
use rollcall_engine::secrets::sha256_hex;
use std::sync::Arc;

/// A client secret ends after that, unless somebody says otherwise.
const YEAR: Duration = Duration::days(365);

fn year_from(now: DateTime<Utc>) -> DateTime<Utc> {
    now + YEAR
}

/// Adds a credential; enables SCIM if it never was.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/scim/credentials",
    tag = "scim",
    params(OrganizationPath),
    request_body = NewCredential,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 201, body = CredentialAdded),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn add(
    admin: Admin,
    State(app): State<Arc<App>>,
    Given(new): Given<NewCredential>,
) -> Result<(StatusCode, Json<CredentialAdded>), Refusal> {
    let credential = app.engine.ids.credential();
    let (proof, secret) = new_proof::of(&app, new.proof).await?;
    let expires_at = new.expires_at.or_else(|| {
        matches!(proof, Proof::ClientSecret { .. }).then(|| year_from(app.engine.clock.now()))
    });
    let audiences = match &proof {
        Proof::Federated { audiences, .. } => audiences.clone(),
        _ => Vec::new(),
    };
    let issued = CredentialIssued {
        credential,
        purpose: Purpose::Scim,
        proof,
        label: new.label,
        expires_at,
    };
    let command = OrganizationCommand::Credential(CredentialCommand::Issue(issued));
    admin.execute(&app, command, StatusCode::CREATED).await?;
    let (client_secret, token) = match secret {
        Secret::Client(secret) => (Some(secret), None),
        Secret::Token(token) => (None, Some(token)),
        Secret::None => (None, None),
    };
    let added = added(&app, &admin, credential, client_secret, expires_at).await?;
    Ok((StatusCode::CREATED, Json(CredentialAdded { token, audiences, ..added })))
}

async fn added(
    app: &App,
    admin: &Admin,
    credential: CredentialId,
    client_secret: Option<String>,
    expires_at: Option<DateTime<Utc>>,
) -> Result<CredentialAdded, Refusal> {
    Ok(CredentialAdded {
        client_id: credential.0,
        client_secret,
        token: None,
        tenant_url: app.scim_base.to_string(),
        token_url: app.token_url(),
        audiences: Vec::new(),
        expires_at,
        sso_ready: sso_is_ready(app, admin.organization.id).await?,
    })
}

/// All credentials of an organization's SCIM clients, and which of them the last cycle came with.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/scim/credentials",
    tag = "scim",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = Vec<CredentialBody>),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    admin: Admin,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<CredentialBody>>, Refusal> {
    let organization = admin.organization.id;
    let rows = keys::list(&app, organization, Purpose::Scim).await?;
    let seen = Seen::of(&app, organization).await?;
    Ok(Json(rows.into_iter().map(|row| seen.body(row)).collect()))
}

/// Gives a client a second secret, so that the first can be retired once nobody uses it.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/scim/credentials/{credential}/rotate",
    tag = "scim",
    params(CredentialPath),
    request_body = NewSecret,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 201, body = CredentialAdded),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn rotate(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<CredentialPath>,
    Given(new): Given<NewSecret>,
) -> Result<(StatusCode, Json<CredentialAdded>), Refusal> {
    let credential = CredentialId(path.credential);
    let secret = app.engine.ids.secret(CLIENT_SECRET_PREFIX);
    let expires_at = new.expires_at.unwrap_or_else(|| year_from(app.engine.clock.now()));
    let command = CredentialCommand::AddSecret {
        credential,
        sha256: sha256_hex(&secret),
        expires_at: Some(expires_at),
    };
    admin.execute(&app, OrganizationCommand::Credential(command), StatusCode::CREATED).await?;
    let added = added(&app, &admin, credential, Some(secret), Some(expires_at)).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

/// Refuses the older of two secrets from now on, and the access tokens that were got by it.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/scim/credentials/{credential}/retire",
    tag = "scim",
    params(CredentialPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn retire(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<CredentialPath>,
) -> Result<StatusCode, Refusal> {
    let command = CredentialCommand::RetireSecret { credential: CredentialId(path.credential) };
    admin.done(&app, OrganizationCommand::Credential(command)).await
}

/// Trusts assertions for one more audience.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/scim/credentials/{credential}/audiences",
    tag = "scim",
    params(CredentialPath),
    request_body = NewAudience,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 204),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn trust(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<CredentialPath>,
    Given(new): Given<NewAudience>,
) -> Result<StatusCode, Refusal> {
    let credential = CredentialId(path.credential);
    let command = CredentialCommand::TrustAudience { credential, audience: new.audience };
    admin.done(&app, OrganizationCommand::Credential(command)).await
}

/// Revokes a credential with all of its secrets and access tokens, at once and on every server.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{organization}/scim/credentials/{credential}",
    tag = "scim",
    params(CredentialPath),
    security(("operator" = []), ("admin" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
)]
pub async fn revoke(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<CredentialPath>,
) -> Result<StatusCode, Refusal> {
    let command = keys::revoke(path.credential, Purpose::Scim);
    admin.done(&app, OrganizationCommand::Credential(command)).await
}
