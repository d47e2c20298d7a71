//! The token that a client gets (RFC 6749 section 5.1).

use crate::client::Client;
use crate::face::Face;
use crate::refusal::Refusal;
use crate::room::Oauth;
use chrono::{DateTime, Duration, SubsecRound, Utc};
use rollcall_door::access_token::AccessToken;
use serde_json::{Value, json};

/// A shorter life is none.
const SHORTEST: Duration = Duration::seconds(60);

/// Makes a token for a client. It lives no longer than what the client showed for it.
///
/// # Errors
/// If that is over in less than a minute, or the client gets no tokens.
pub fn issue(
    oauth: &Oauth,
    client: &Client,
    scope: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let face = Face::of(client.credential.purpose)
        .ok_or_else(|| Refusal::invalid_client("this credential gets no access tokens"))?;
    if !face.grants(scope) {
        return Err(Refusal::invalid_scope());
    }
    let now = now.trunc_subsecs(0);
    let longest = now + Duration::seconds(oauth.app.config.access_token_secs.into());
    let expires = client.until.map_or(longest, |until| until.min(longest)).trunc_subsecs(0);
    if expires - now < SHORTEST {
        return Err(Refusal::invalid_client("what was shown is over within a minute"));
    }
    let token =
        AccessToken { credential: client.credential.id, secret: client.secret.clone(), expires };
    Ok(json!({
        "access_token": token.sealed(&oauth.app.deployment_key, oauth.app.engine.ids.key()),
        "token_type": "Bearer",
        "expires_in": (expires - now).num_seconds(),
        "scope": face.scope,
    }))
}
