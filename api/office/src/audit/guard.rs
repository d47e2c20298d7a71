//! Who may ask: the operator about any organization, an auditor about their own.

use super::trail::Trail;
use crate::admin::{Admin, organization_named};
use axum::extract::{FromRef, FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use rollcall_domain::actor::Actor;
use rollcall_domain::ids::OrganizationId;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_engine::secrets::sha256_hex;
use rollcall_projections::auditors::AuditorRow;
use rollcall_projections::credential::CredentialState;
use std::sync::Arc;

/// What auditors' keys begin with.
pub const AUDITOR_PREFIX: &str = "rollcall_audit_";

/// Somebody who may read everything about one organization, the one in the path. There is no way
/// to write with it: what writes asks for an [`Admin`].
pub struct Auditor {
    /// The organization.
    pub organization: OrganizationId,
}

impl<S: Send + Sync> FromRequestParts<S> for Auditor
where
    Arc<App>: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let app = &Arc::<App>::from_ref(state);
        let trail = parts.extensions.get::<Trail>().cloned().unwrap_or_default();
        let key = match Admin::from_request_parts(parts, state).await {
            Ok(_) => {
                trail.found(OrganizationId::NONE, Actor::Operator);
                None
            }
            Err(_) => Some(live_key(app, &parts.headers).await?),
        };
        if let Some(key) = &key {
            trail.found(key.organization, Actor::Auditor { auditor: key.id });
        }
        let named = RawPathParams::from_request_parts(parts, state).await.map_err(|e| Refusal::bad_request(e.body_text()))?;
        let domain = named.iter().find(|(name, _)| *name == "organization").map(|(_, value)| value.to_owned()).unwrap_or_default();
        let nothing = || Refusal::not_found(format!("there is no organization {domain:?}"));
        if domain == "none" {
            // Requests whose token named no organization are nobody's but the operator's.
            return if key.is_none() { Ok(Self { organization: OrganizationId::NONE }) } else { Err(nothing()) };
        }
        let organization = organization_named(app, &domain).await?.id;
        match key {
            // Another organization is not there for an auditor.
            Some(key) if key.organization != organization => Err(nothing()),
            _ => Ok(Self { organization }),
        }
    }
}

/// The auditor's key of a request. An unknown, an expired and a revoked one are answered alike.
async fn live_key(app: &App, headers: &HeaderMap) -> Result<AuditorRow, Refusal> {
    let nobody = || Refusal::new(StatusCode::UNAUTHORIZED, "send the operator key or a live auditor's key as a bearer token");
    let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).ok_or_else(nobody)?;
    let (scheme, key) = value.split_once(' ').ok_or_else(nobody)?;
    let key = key.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || !key.starts_with(AUDITOR_PREFIX) || key.len() > 512 {
        return Err(nobody());
    }
    // Found by the hash of 256 random bits: nothing is left for the comparison's timing to tell.
    let found = app.auditors.by_hash(&sha256_hex(key)).await?;
    let live = |row: &AuditorRow| row.state(app.engine.clock.now()) == CredentialState::Live;
    found.filter(live).ok_or_else(nobody)
}
