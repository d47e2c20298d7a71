//! The token decides the organization; nothing else does.

use crate::room::Scim;
use axum::http::{HeaderMap, header};
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::Purpose;
use rollcall_domain::failure::Cause;
use rollcall_domain::ids::{OrganizationId, TokenId};
use rollcall_domain::scim::{Policy, ScimError};
use rollcall_engine::secrets::sha256_hex;
use rollcall_projections::credential::CredentialState;
use rollcall_projections::organizations::{OrganizationRow, ScimState};
use std::sync::Arc;

/// A caller that is let in, or known but not let in now.
pub struct Caller {
    /// The organization.
    pub organization: OrganizationId,
    /// Who it is.
    pub actor: Actor,
    /// What the connection asks of its client.
    pub policy: Policy,
    /// Why the request is not to be carried out now.
    pub refusal: Option<ScimError>,
}

/// Finds out who calls. An unknown, expired or revoked token is nobody: the answers do not tell
/// them apart.
pub async fn authenticate(scim: &Scim, headers: &HeaderMap) -> Result<Caller, ScimError> {
    let app = &scim.app;
    let nobody = || {
        ScimError::unauthorized("the bearer token is missing, unknown, expired or revoked: put a live token into Secret Token".to_owned())
    };
    // Two of them would let whoever stands in between, and us, believe different things.
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return Err(nobody()) };
    let value = value.to_str().map_err(|_| nobody())?;
    let (scheme, secret) = value.split_once(' ').ok_or_else(nobody)?;
    let secret = secret.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || secret.is_empty() || secret.len() > 512 {
        return Err(nobody());
    }
    let sha256 = sha256_hex(secret);
    let known = match &scim.known_tokens {
        Some(tokens) => tokens.find(&app.engine, &app.credentials, &sha256).await,
        None => {
            app.credentials.bearer_of_organization(&sha256).await.map(|found| found.map(Arc::new))
        }
    };
    let known = known.map_err(|e| app.trouble("token lookup", &e))?;
    // Found by the hash of 256 random bits: nothing is left for the comparison's timing to tell.
    let known = known.ok_or_else(nobody)?;
    let (token, organization) = &*known;
    if token.purpose != Purpose::Scim
        || token.state(app.engine.clock.now()) != CredentialState::Live
    {
        return Err(nobody());
    }
    let mut refusal = standing(organization);
    if refusal.is_none() && !scim.rate.admits(TokenId(token.id.0)) {
        refusal = Some(ScimError::too_many_requests(
            "too many requests with this token: slow down".to_owned(),
        ));
    }
    let policy = organization.policy.clone();
    Ok(Caller {
        organization: organization.id,
        actor: Actor::ScimToken { token: TokenId(token.id.0) },
        policy,
        refusal,
    })
}

/// Why the requests of an organization are not carried out at present, if they are not.
pub(super) fn standing(organization: &OrganizationRow) -> Option<ScimError> {
    let detail = if !organization.enabled {
        "this organization is switched off; nothing is lost, Entra will retry"
    } else if organization.scim != ScimState::Enabled {
        "the SCIM connection is switched off; nothing is lost, Entra will retry"
    } else if organization.stopped.is_some() {
        "the directory is being repaired; nothing is lost, Entra will retry"
    } else {
        return None;
    };
    Some(ScimError::unavailable(detail.to_owned()).because(Cause::SwitchedOff))
}
