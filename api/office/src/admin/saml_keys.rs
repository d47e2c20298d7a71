//! An organization's own key pairs: generate, rotate, retire, download. The private half is sealed
//! before it leaves this file.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::saml::{KeyBody, KeyPath};
use rollcall_domain::ids::SamlKeyId;
use rollcall_domain::organization::{OrganizationCommand, SamlCommand, SamlKey, SpCertificate};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::Admin;
use rollcall_projections::organizations::OrganizationRow;
use rollcall_saml::{KeyPair, keys};
use rollcall_sign_on::saml::connection::sealed_about;
use std::sync::Arc;

/// How long our own certificates are valid: as long as Entra's.
const VALID_DAYS: u32 = 3 * 365;

async fn make(app: &App, organization: &OrganizationRow) -> Result<(SamlKey, KeyBody), Refusal> {
    let broken = |e: keys::KeyError| Refusal::unavailable(&e);
    let now = app.engine.clock.now();
    // A common name has 64 characters at most; a slug has 63.
    let name = organization.domain.clone();
    let pair: KeyPair = tokio::task::spawn_blocking(move || keys::generate(&name, now, VALID_DAYS))
        .await?
        .map_err(broken)?;
    let id = app.engine.ids.saml_key();
    let private = pair.private_key_pkcs8().map_err(broken)?;
    let sealed = app.deployment_key.seal(
        &private,
        &sealed_about(organization.id, id),
        app.engine.ids.nonce(),
    )?;
    let valid = pair.not_before().zip(pair.not_after());
    let (not_before, not_after) =
        valid.ok_or_else(|| Refusal::unavailable(&"the certificate's validity cannot be read"))?;
    let der = STANDARD.encode(pair.certificate_der().map_err(broken)?);
    let certificate = SpCertificate { sha256: pair.sha256(), der, not_before, not_after };
    let certificate_pem = pair.certificate_pem().map_err(broken)?;
    let body = KeyBody {
        key_id: id.0,
        sha256: certificate.sha256.clone(),
        not_before,
        not_after,
        certificate_pem,
    };
    Ok((SamlKey { id, certificate, sealed }, body))
}

/// Makes a key pair and hands it to the organization by a command.
async fn install(
    app: &App,
    admin: &Admin,
    with: fn(SamlKey) -> SamlCommand,
) -> Result<(StatusCode, Json<KeyBody>), Refusal> {
    let (key, body) = make(app, &admin.organization).await?;
    admin.execute(app, OrganizationCommand::Saml(with(key)), StatusCode::CREATED).await?;
    Ok((StatusCode::CREATED, Json(body)))
}

/// Generates the first key pair: RSA with 3072 bits, and a certificate that it signs itself.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/saml/certificate",
    tag = "saml",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 201, body = KeyBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn generate(
    admin: Admin,
    State(app): State<Arc<App>>,
) -> Result<(StatusCode, Json<KeyBody>), Refusal> {
    install(&app, &admin, |key| SamlCommand::GenerateKey { key }).await
}

/// Generates the next key pair, the current one from now on. The one before still decrypts until it
/// is retired.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/saml/certificate/rotate",
    tag = "saml",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 201, body = KeyBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn rotate(
    admin: Admin,
    State(app): State<Arc<App>>,
) -> Result<(StatusCode, Json<KeyBody>), Refusal> {
    install(&app, &admin, |key| SamlCommand::RotateKey { key }).await
}

/// The current certificate, as a file to upload.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/saml/certificate",
    tag = "saml",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = String, content_type = "application/x-pem-file"),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn download(admin: Admin, State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let connection = app.connections.of(admin.organization.id).await?;
    let none = || Refusal::not_found("there is no certificate yet: generate one first");
    let certificate = connection
        .as_ref()
        .and_then(|c| c.settings.current_key())
        .ok_or_else(none)?
        .certificate
        .der
        .clone();
    Ok(([(header::CONTENT_TYPE, "application/x-pem-file")], pem(&certificate)).into_response())
}

fn pem(der_base64: &str) -> String {
    let lines: Vec<&str> = (0..der_base64.len())
        .step_by(64)
        .map(|i| &der_base64[i..(i + 64).min(der_base64.len())])
        .collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// Gives up a key pair that is not the current one.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{organization}/saml/certificate/{key}",
    tag = "saml",
    params(KeyPath),
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
    Path(path): Path<KeyPath>,
) -> Result<StatusCode, Refusal> {
    let retire = OrganizationCommand::Saml(SamlCommand::RetireKey { key: SamlKeyId(path.key) });
    admin.done(&app, retire).await
}
