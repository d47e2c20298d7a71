//! A client that shows an assertion (RFC 7523 section 2.2): of its own, or of an issuer that is
//! trusted to speak for it.

use crate::keys::Unreachable;
use crate::refusal::Refusal;
use crate::room::Oauth;
use chrono::{DateTime, Utc};
use rollcall_domain::credential::assertion::{Expected, KeyCheck, Seen, judge};
use rollcall_domain::credential::{KeySource, Proof, federation};
use rollcall_engine::secrets::sha256_hex;
use rollcall_jose::{Assertion, KeySet};
use rollcall_projections::credentials::CredentialRow;
use std::sync::Arc;

/// What came of it.
pub struct Checked {
    /// What was found, for the record.
    pub seen: Seen,
    /// Until when the assertion speaks for the client; none if it said only who asks now.
    pub outcome: Result<Option<DateTime<Utc>>, Refusal>,
}

/// The subject that an assertion claims, before anything of it is believed.
pub fn subject(text: &str) -> Option<String> {
    Assertion::read(text).ok()?.presented.claims.subject
}

/// Judges an assertion on every axis, and takes note of each.
pub async fn check(
    oauth: &Oauth,
    client: &CredentialRow,
    text: &str,
    endpoints: &[&str],
    now: DateTime<Utc>,
) -> Checked {
    let sha256 = sha256_hex(text);
    let refused =
        |seen: Seen, detail: &str| Checked { seen, outcome: Err(Refusal::invalid_client(detail)) };
    let assertion = match Assertion::read(text) {
        Ok(assertion) => assertion,
        Err(why) => {
            let seen = Seen::unreadable(sha256, &why.to_string());
            return refused(seen, "the assertion cannot be read");
        }
    };
    let Some(expected) = Expected::of(&client.proof, client.id, endpoints) else {
        let seen = Seen { sha256, findings: Vec::new() };
        return refused(seen, "this client shows who it is otherwise");
    };
    let judged = |key| {
        let findings = judge(&assertion.presented, &expected, key, now);
        Seen { sha256: sha256.clone(), findings }
    };
    // Nobody makes us fetch keys by what could not be right with any of them.
    let wanted = judged(KeyCheck::NotAtHand).awaits_key();
    let keys = keys_of(oauth, client, assertion.presented.header.key.as_deref(), wanted, now).await;
    let seen = match &keys {
        Ok(Some(keys)) => judged(keys.check(&assertion)),
        Ok(None) | Err(_) => judged(KeyCheck::NotAtHand),
    };
    if let (true, Err(Unreachable(why))) = (wanted, keys) {
        return Checked { seen, outcome: Err(Refusal::no_keys(&why)) };
    }
    match seen.failed().first() {
        None if seen.holds() => Checked { outcome: Ok(speaks_until(client, &assertion)), seen },
        first => {
            let axis = first.map_or("a key that is not at hand", |axis| axis.as_str());
            let detail = format!("the assertion is refused for its {axis}");
            refused(seen, &detail)
        }
    }
}

/// What another issuer says holds until it said; a signature of the client's own says who asks.
fn speaks_until(client: &CredentialRow, assertion: &Assertion<'_>) -> Option<DateTime<Utc>> {
    let Proof::Federated { .. } = client.proof else { return None };
    assertion.presented.claims.expires.and_then(|at| DateTime::from_timestamp(at, 0))
}

/// The keys of whoever may sign for a client: fetched, if they are `wanted`; else those at hand.
async fn keys_of(
    oauth: &Oauth,
    client: &CredentialRow,
    key: Option<&str>,
    wanted: bool,
    now: DateTime<Utc>,
) -> Result<Option<Arc<KeySet>>, Unreachable> {
    let url = match &client.proof {
        Proof::PrivateKeyJwt { keys: KeySource::Document(text) } => {
            let read = KeySet::read(text.as_bytes()).map_err(|e| Unreachable(e.to_string()))?;
            return Ok(Some(Arc::new(read)));
        }
        Proof::PrivateKeyJwt { keys: KeySource::Url(url) } => url.clone(),
        Proof::Federated { issuer, .. } => federation::keys_url(issuer),
        Proof::Token { .. } | Proof::ClientSecret { .. } => return Ok(None),
    };
    match wanted {
        true => oauth.keys.of(&url, key, now).await.map(Some),
        false => Ok(oauth.keys.at_hand(&url, now)),
    }
}
