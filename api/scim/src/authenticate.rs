//! The token decides the organization; nothing else does.

use crate::known_tokens::Known;
use crate::room::Scim;
use axum::http::{HeaderMap, header};
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::Purpose;
use rollcall_domain::failure::Cause;
use rollcall_domain::ids::{OrganizationId, TokenId};
use rollcall_domain::log::Position;
use rollcall_domain::scim::{Policy, ScimError};
use rollcall_door::access_token::{self, AccessToken, NotOpened};
use rollcall_engine::secrets::sha256_hex;
use rollcall_projections::credential::CredentialState;
use rollcall_projections::organizations::OrganizationRow;
use std::sync::Arc;

/// A caller that is let in, or known but not let in now.
pub struct Caller {
    /// The organization.
    pub organization: OrganizationId,
    /// Who it is.
    pub actor: Actor,
    /// What the connection asks of its client.
    pub policy: Policy,
    /// Every reader sees at least this much of the organization's log.
    pub at: Position,
    /// Why the request is not to be carried out now.
    pub refusal: Option<ScimError>,
}

/// Finds out who calls. An unknown, expired or revoked token is nobody: the answers do not tell
/// them apart. What was asked for with one that was a token once is kept with its organization.
pub async fn authenticate(scim: &Scim, headers: &HeaderMap) -> Result<Caller, ScimError> {
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
    let known = if access_token::is_one(secret) {
        by_access_token(scim, secret).await?
    } else {
        by_token(scim, secret).await?
    };
    let (known, is_live) = known.ok_or_else(nobody)?;
    let (token, organization) = &*known;
    // Where this process owns the store, what is known of a token may be older than what it folded.
    let folded = scim.app.engine.folder.known_position(organization.id);
    let at = organization.position.unwrap_or_default().max(folded);
    if !is_live {
        // Nobody, as far as anybody is told; whose directory it was about is known.
        return Ok(Caller {
            organization: organization.id,
            actor: Actor::Unauthenticated,
            policy: organization.policy.clone(),
            at,
            refusal: Some(nobody()),
        });
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
        at,
        refusal,
    })
}

/// Who has a static token, or had one, and whether it is live. Found by the hash of 256 random bits:
/// nothing is left for the comparison's timing to tell.
async fn by_token(scim: &Scim, secret: &str) -> Result<Option<(Known, bool)>, ScimError> {
    let app = &scim.app;
    let sha256 = sha256_hex(secret);
    let acquaintances = &app.strangers.acquaintances;
    let look_up = || async {
        let _turn = acquaintances.turn(&sha256).await;
        app.credentials.bearer_of_organization(&sha256).await
    };
    let known = match &scim.known_tokens {
        Some(tokens) => tokens.find(&app.engine, &sha256, look_up).await,
        None => look_up().await.map(|found| found.map(Arc::new)),
    };
    let known = known.map_err(|e| app.trouble("token lookup", &e))?;
    let now = app.engine.clock.now();
    let known = known.filter(|known| known.0.purpose == Purpose::Scim);
    let is_live = known.as_ref().is_some_and(|known| known.0.state(now) == CredentialState::Live);
    acquaintances.found(&sha256, is_live);
    Ok(known.map(|known| (known, is_live)))
}

/// Who has an access token, or had one, and whether it is live: its credential is asked with every
/// request, so that what is revoked is refused from the next one on, by every process.
async fn by_access_token(scim: &Scim, secret: &str) -> Result<Option<(Known, bool)>, ScimError> {
    let app = &scim.app;
    let token = match AccessToken::opened(secret, &app.deployment_key) {
        Ok(token) => token,
        Err(NotOpened::OtherKey) if app.shared => {
            tracing::warn!(
                "an access token was made with another deployment key: give every process the same --deployment-key-file"
            );
            return Err(ScimError::unavailable("another process made this token; try again later"));
        }
        Err(_) => return Ok(None),
    };
    let look_up = || app.credentials.client_of_organization(token.credential);
    let known = match &scim.known_tokens {
        Some(tokens) => tokens.find(&app.engine, &token.credential.to_string(), look_up).await,
        None => look_up().await.map(|found| found.map(Arc::new)),
    };
    let known = known.map_err(|e| app.trouble("token lookup", &e))?;
    let now = app.engine.clock.now();
    let known = known.filter(|known| known.0.purpose == Purpose::Scim);
    Ok(known.map(|known| (known.clone(), token.is_live(&known.0, now))))
}

/// Why the requests of an organization are not carried out at present, if they are not.
pub(super) fn standing(organization: &OrganizationRow) -> Option<ScimError> {
    let off = rollcall_door::standing(organization)?;
    let error = ScimError::unavailable(off.to_string()).because(Cause::SwitchedOff);
    Some(error.in_trouble(off.as_str()))
}
