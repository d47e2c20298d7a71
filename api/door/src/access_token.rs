//! Access tokens (RFC 6749 section 1.4): what a client gets for its secret or its assertion, and
//! sends with its requests for an hour.
//!
//! To clients they are opaque. To us each says which credential it was made for, by which of its
//! secrets, and until when, under a signature of the deployment's key: so every process knows each
//! token from the moment it is made, none has to be kept or cleared away, and the credential is
//! looked up with every request as a static token's is (ADR 40).

use crate::sealing::DeploymentKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use rollcall_domain::credential::{ACCESS_TOKEN_PREFIX, Proof};
use rollcall_domain::ids::CredentialId;
use rollcall_projections::credential::CredentialState;
use rollcall_projections::credentials::CredentialRow;
use uuid::Uuid;

/// What the signature is for.
const PURPOSE: &str = "access token";
/// The scope of all of them.
pub const SCOPE: &str = "scim";
/// Bytes that make two tokens of the same second two.
const SALT_BYTES: usize = 12;

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The credential that it was made for.
    pub credential: CredentialId,
    /// The beginning of the SHA-256 of the secret that it was made for, if it was a secret.
    pub secret: Option<String>,
    /// From when on it is refused, in whole seconds.
    pub expires: DateTime<Utc>,
}

/// Why a token does not let anybody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// It is none of ours.
    Unknown,
    /// A process with another deployment key may have made it, and would let it in.
    OtherKey,
}

/// Whether a bearer token may be an access token.
pub fn is_one(token: &str) -> bool {
    token.starts_with(ACCESS_TOKEN_PREFIX)
}

impl AccessToken {
    /// As the client gets it. `salt` is random.
    pub fn sealed(&self, key: &DeploymentKey, salt: [u8; 32]) -> String {
        let mut said = Vec::with_capacity(64);
        said.extend(self.credential.0.as_bytes());
        said.extend(self.expires.timestamp().to_be_bytes());
        said.extend(&salt[..SALT_BYTES]);
        said.extend(self.secret.as_deref().unwrap_or_default().as_bytes());
        let said = format!("{}.{}", key.id(), URL_SAFE_NO_PAD.encode(said));
        let signature = key.sign(PURPOSE, &said);
        // No dots on the outside: it is to look like one word.
        format!("{ACCESS_TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(format!("{said}.{signature}")))
    }

    /// Reads one. Whether its time is over, and its credential is live, is still to be asked.
    ///
    /// # Errors
    /// If this deployment did not make it.
    pub fn opened(token: &str, key: &DeploymentKey) -> Result<Self, NotOpened> {
        let inside = token
            .strip_prefix(ACCESS_TOKEN_PREFIX)
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or(NotOpened::Unknown)?;
        let (said, signature) = inside.rsplit_once('.').ok_or(NotOpened::Unknown)?;
        let (made_with, words) = said.split_once('.').ok_or(NotOpened::Unknown)?;
        if made_with != key.id() {
            return Err(NotOpened::OtherKey);
        }
        if !key.is_signed(PURPOSE, said, signature) {
            return Err(NotOpened::Unknown);
        }
        let bytes = URL_SAFE_NO_PAD.decode(words).map_err(|_| NotOpened::Unknown)?;
        Self::read(&bytes).ok_or(NotOpened::Unknown)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        let secret = std::str::from_utf8(rest.get(SALT_BYTES..)?).ok()?;
        Some(Self {
            credential: CredentialId(Uuid::from_bytes(*id)),
            secret: Some(secret.to_owned()).filter(|secret| !secret.is_empty()),
            expires: DateTime::from_timestamp(i64::from_be_bytes(*expires), 0)?,
        })
    }

    /// Whether it lets in at an instant, for its credential as it is then.
    pub fn is_live(&self, credential: &CredentialRow, now: DateTime<Utc>) -> bool {
        let proved = match (&credential.proof, &self.secret) {
            (Proof::ClientSecret { .. }, Some(secret)) => {
                credential.live_secret(secret, now).is_some()
            }
            (Proof::PrivateKeyJwt { .. } | Proof::Federated { .. }, None) => true,
            _ => false,
        };
        credential.id == self.credential
            && self.expires > now
            && proved
            && credential.state(now) == CredentialState::Live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> AccessToken {
        AccessToken {
            credential: CredentialId(Uuid::from_u128(7)),
            secret: Some("0123456789abcdef".to_owned()),
            expires: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        }
    }

    #[test]
    fn what_is_sealed_is_opened_and_nothing_that_differs_by_a_character() {
        let key = DeploymentKey::derived_from("a");
        for token in [token(), AccessToken { secret: None, ..token() }] {
            let sealed = token.sealed(&key, [9; 32]);
            assert!(is_one(&sealed) && sealed.len() < 512, "{sealed}");
            assert_eq!(AccessToken::opened(&sealed, &key), Ok(token.clone()));
            assert_ne!(sealed, token.sealed(&key, [8; 32]));
            for at in ACCESS_TOKEN_PREFIX.len()..sealed.len() {
                for other in ['A', 'B', '_'] {
                    let mut changed: Vec<char> = sealed.chars().collect();
                    if changed[at] == other {
                        continue;
                    }
                    changed[at] = other;
                    let changed: String = changed.into_iter().collect();
                    assert!(AccessToken::opened(&changed, &key).is_err(), "{at} {other}");
                }
            }
        }
    }

    #[test]
    fn another_deployments_is_told_from_no_token_at_all() {
        let sealed = token().sealed(&DeploymentKey::derived_from("a"), [9; 32]);
        let other = DeploymentKey::derived_from("b");
        assert_eq!(AccessToken::opened(&sealed, &other), Err(NotOpened::OtherKey));
        for text in ["", "rca_", "rca_x", "rollcall_scim_x", "rca_Zm9v"] {
            assert_eq!(AccessToken::opened(text, &other), Err(NotOpened::Unknown), "{text}");
        }
    }
}
