//! An organization's SAML connection: set up, show, refresh, policy, switch.

use super::session_ends::end_all;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::saml::{CertificateBody, NewMetadata, PolicyBody, RefreshedBody, SamlBody};
use rollcall_domain::login::Identifier;
use rollcall_domain::organization::{
    Organization, OrganizationCommand, SamlCommand, SamlPolicy, SamlState,
};
use rollcall_domain::user::SessionEnd;
use rollcall_door::App;
use rollcall_door::callers::Admin;
use rollcall_door::{Given, Refusal};
use rollcall_projections::organizations::OrganizationRow;
use rollcall_projections::saml::CertificateRow;
use rollcall_projections::sessions::SessionRow;
use rollcall_sign_on::SignOn;
use rollcall_sign_on::saml::addresses::Addresses;
use rollcall_sign_on::saml::refresh::{self, RefreshError};
use std::sync::Arc;

fn policy_body(policy: &SamlPolicy) -> PolicyBody {
    PolicyBody {
        idp_initiated: Some(policy.idp_initiated),
        identifiers: Some(policy.identifiers.iter().map(ToString::to_string).collect()),
        just_in_time: Some(policy.just_in_time),
        targets: Some(policy.targets.clone()),
        session_minutes: Some(policy.session_minutes),
        idle_minutes: policy.idle_minutes,
        sign_requests: Some(policy.sign_requests),
        force_authn: Some(policy.force_authn),
        authn_contexts: Some(policy.authn_contexts.clone()),
        entity_id: policy.entity_id.clone(),
    }
}

/// Days before the end of a certificate from which it is a warning.
const WARN_DAYS: i64 = 60;

pub(super) async fn body(
    sign_on: &SignOn,
    organization: &OrganizationRow,
) -> Result<SamlBody, Refusal> {
    let app = &sign_on.app;
    let unavailable = |e: rollcall_domain::sql::SqlError| Refusal::unavailable(&e);
    let settings = app
        .connections
        .of(organization.id)
        .await
        .map_err(unavailable)?
        .map(|c| c.settings)
        .unwrap_or_default();
    let rows = app.connections.certificates(organization.id).await.map_err(unavailable)?;
    let now = app.engine.clock.now();
    let current = settings.current_key().map(|k| k.certificate.sha256.clone());
    let certificate = |row: CertificateRow| {
        let state = match (row.until, row.owner.as_str()) {
            (Some(_), _) => "former",
            (None, _) if row.not_after <= now => "expired",
            (None, "identity-provider") => "trusted",
            _ if current.as_ref() == Some(&row.sha256) => "current",
            _ => "previous",
        };
        let key = settings
            .keys
            .iter()
            .find(|k| row.until.is_none() && k.certificate.sha256 == row.sha256);
        CertificateBody {
            key_id: key.map(|k| k.id.0),
            owner: row.owner,
            sha256: row.sha256,
            state: state.to_owned(),
            subject: row.subject,
            not_before: row.not_before,
            not_after: row.not_after,
            since: row.since,
            until: row.until,
        }
    };
    let certificates: Vec<CertificateBody> = rows.into_iter().map(certificate).collect();
    let addresses = Addresses::of(&app.public_url, &organization.domain, &settings.policy);
    let mut warnings = Vec::new();
    for c in certificates.iter().filter(|c| c.until.is_none()) {
        let days = (c.not_after - now).num_days();
        if c.not_after <= now {
            warnings.push(format!("the certificate {} of the {} has expired", c.sha256, c.owner));
        } else if days < WARN_DAYS {
            warnings.push(format!(
                "the certificate {} of the {} ends in {days} days",
                c.sha256, c.owner
            ));
        }
    }
    if let Some((at, error)) = sign_on.failures.of(organization.id) {
        let at = at.format("%Y-%m-%d %H:%M UTC");
        warnings.push(format!(
            "the metadata could not be followed on {at}, and the settings stayed: {error}"
        ));
    }
    for key in settings.keys.iter().filter(|k| !app.deployment_key.has_sealed(&k.sealed)) {
        warnings.push(format!(
            "the private key of the certificate {} was sealed with another deployment key than this server has: see --deployment-key-file",
            key.certificate.sha256
        ));
    }
    if settings.idp.is_some() && settings.keys.is_empty() {
        warnings.push(
            "there is no certificate of ours yet: rollcall saml certificate generate".to_owned(),
        );
    }
    if settings.idp.is_some() && settings.policy.identifiers.len() > 1 {
        let listed: Vec<String> =
            settings.policy.identifiers.iter().map(ToString::to_string).collect();
        warnings.push(format!(
            "people are recognized by more than one identifier ({}): choose one with rollcall saml policy --identifier",
            listed.join(", ")
        ));
    }
    if settings.idp.is_some() && settings.policy.targets.is_empty() {
        warnings.push(
            "people stay on a page of Rollcall after signing in: allow your application with rollcall saml policy --target".to_owned(),
        );
    }
    Ok(SamlBody {
        state: settings.state.as_str().to_owned(),
        ready: settings.is_ready(),
        identifier: addresses.identifier,
        reply_url: addresses.reply_url,
        sign_on_url: addresses.sign_on_url,
        logout_url: addresses.logout_url,
        metadata_url: settings.metadata_url.clone(),
        idp_entity_id: settings.idp.as_ref().map(|i| i.entity_id.clone()),
        idp_sign_on_url: settings.idp.as_ref().map(|i| i.sso_redirect_url.clone()),
        idp_logout_url: settings.idp.as_ref().and_then(|i| i.slo_redirect_url.clone()),
        certificates,
        policy: policy_body(&settings.policy),
        warnings,
    })
}

fn problem(error: RefreshError) -> Refusal {
    match error {
        RefreshError::NoUrl | RefreshError::Refused(_) => Refusal::conflict(error.to_string()),
        RefreshError::Fetch(_) | RefreshError::Metadata(_) => {
            Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
        }
        RefreshError::Unavailable(_) => Refusal::unavailable(&error),
    }
}

/// A SAML connection, and what goes into Azure's Basic SAML Configuration; also before it is set
/// up.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/saml",
    tag = "saml",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = SamlBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn show(
    admin: Admin,
    State(sign_on): State<Arc<SignOn>>,
) -> Result<Json<SamlBody>, Refusal> {
    let organization = &admin.organization;
    body(&sign_on, organization).await.map(Json)
}

/// Trusts an identity provider from its metadata, and lets people sign in. If the metadata cannot
/// be used, everything stays as it was.
#[utoipa::path(
    put,
    path = "/api/v1/organizations/{organization}/saml",
    tag = "saml",
    params(OrganizationPath),
    request_body = NewMetadata,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = SamlBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    ),
)]
pub async fn configure(
    admin: Admin,
    State(app): State<Arc<App>>,
    State(sign_on): State<Arc<SignOn>>,
    Given(new): Given<NewMetadata>,
) -> Result<Json<SamlBody>, Refusal> {
    let organization = &admin.organization;
    let (metadata_url, loaded) = match (new.metadata_url, new.metadata) {
        (Some(url), None) => {
            let url = url.trim().to_owned();
            let loaded = refresh::load(&sign_on, &url).await;
            (Some(url), loaded)
        }
        (None, Some(document)) => (None, refresh::check(&app, document.into_bytes()).await),
        _ => return Err(Refusal::bad_request("give either metadata_url or metadata")),
    };
    let idp = loaded.map_err(problem)?.settings;
    let entity_id = idp.entity_id.clone();
    admin
        .execute(
            &app,
            OrganizationCommand::Saml(SamlCommand::Configure { metadata_url, idp }),
            StatusCode::OK,
        )
        .await?;
    let left = |row: &SessionRow| row.issuer.as_ref() != Some(&entity_id);
    end_all(&app, &admin, None, SessionEnd::IdentityProviderReplaced, left).await?;
    sign_on.failures.forget(organization.id);
    body(&sign_on, organization).await.map(Json)
}

/// Follows the identity provider's metadata now.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/saml/refresh",
    tag = "saml",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = RefreshedBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
    ),
)]
pub async fn refresh_now(
    admin: Admin,
    State(app): State<Arc<App>>,
    State(sign_on): State<Arc<SignOn>>,
) -> Result<Json<RefreshedBody>, Refusal> {
    let organization = admin.organization.id;
    let tell = async |command| {
        let command = OrganizationCommand::Saml(command);
        let done = admin.on::<Organization>(&app, organization.0, command, StatusCode::OK).await?;
        Ok(done.appended.positions.is_some())
    };
    let changed = refresh::follow(&sign_on, organization, tell).await.map_err(problem)?;
    Ok(Json(RefreshedBody { changed }))
}

/// Changes what is allowed and asked for; what is absent stays.
#[utoipa::path(
    patch,
    path = "/api/v1/organizations/{organization}/saml/policy",
    tag = "saml",
    params(OrganizationPath),
    request_body = PolicyBody,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = PolicyBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn policy(
    admin: Admin,
    State(app): State<Arc<App>>,
    Given(change): Given<PolicyBody>,
) -> Result<Json<PolicyBody>, Refusal> {
    let organization = &admin.organization;
    let connection = app.connections.of(organization.id).await?;
    let known = connection.map(|c| c.settings.policy).unwrap_or_default();
    let identifiers = match change.identifiers {
        Some(listed) => identifiers(&listed)?,
        None => known.identifiers,
    };
    let policy = SamlPolicy {
        idp_initiated: change.idp_initiated.unwrap_or(known.idp_initiated),
        identifiers,
        just_in_time: change.just_in_time.unwrap_or(known.just_in_time),
        targets: change.targets.unwrap_or(known.targets),
        session_minutes: change.session_minutes.unwrap_or(known.session_minutes),
        idle_minutes: match change.idle_minutes {
            Some(minutes) => Some(minutes).filter(|minutes| *minutes > 0),
            None => known.idle_minutes,
        },
        sign_requests: change.sign_requests.unwrap_or(known.sign_requests),
        force_authn: change.force_authn.unwrap_or(known.force_authn),
        authn_contexts: change.authn_contexts.unwrap_or(known.authn_contexts),
        entity_id: match change.entity_id {
            Some(entity_id) => Some(entity_id).filter(|text| !text.is_empty()),
            None => known.entity_id,
        },
    };
    let told = policy_body(&policy);
    admin
        .execute(
            &app,
            OrganizationCommand::Saml(SamlCommand::ChangePolicy { policy }),
            StatusCode::OK,
        )
        .await?;
    Ok(Json(told))
}

fn identifiers(listed: &[String]) -> Result<Vec<Identifier>, Refusal> {
    let read = |text: &String| {
        Identifier::parse(text).map_err(|e| Refusal::bad_request(format!("{text:?}: {e}")))
    };
    listed.iter().map(read).collect()
}

/// Lets people sign in again.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/saml/enable",
    tag = "saml",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn enable(admin: Admin, State(app): State<Arc<App>>) -> Result<StatusCode, Refusal> {
    // Should their end not have been kept when it was switched off, they must not come back.
    let connection = app.connections.of(admin.organization.id).await?;
    if connection.is_some_and(|c| c.settings.state == SamlState::Disabled) {
        end_all(&app, &admin, None, SessionEnd::SingleSignOnDisabled, |_| true).await?;
    }
    admin.done(&app, OrganizationCommand::Saml(SamlCommand::Enable)).await
}

/// Answers 503 to whoever wants to sign in, and ends all sessions.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/saml/disable",
    tag = "saml",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
)]
pub async fn disable(admin: Admin, State(app): State<Arc<App>>) -> Result<StatusCode, Refusal> {
    let done = admin.done(&app, OrganizationCommand::Saml(SamlCommand::Disable)).await?;
    end_all(&app, &admin, None, SessionEnd::SingleSignOnDisabled, |_| true).await?;
    Ok(done)
}
