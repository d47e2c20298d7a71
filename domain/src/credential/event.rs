//! What can have happened to a credential. Fixed for all kinds of proof, so that a new one needs no
//! second version.

use super::{Proof, Purpose};
use crate::ids::CredentialId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Any of them, whoever holds the credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialEvent {
    /// It was issued.
    Issued(CredentialIssued),
    /// It let its holder in for the first time.
    FirstUsed(CredentialFirstUsed),
    /// It has one more secret.
    SecretAdded(CredentialSecretAdded),
    /// A secret of it is refused.
    SecretRetired(CredentialSecretRetired),
    /// It is proved otherwise.
    ProofChanged(CredentialProofChanged),
    /// It is refused.
    Revoked(CredentialRevoked),
    /// It comes to its end.
    Expiring(CredentialExpiring),
    /// It has come to its end.
    Ended(CredentialEnded),
}

impl CredentialEvent {
    /// Which credential it is about.
    pub fn credential(&self) -> CredentialId {
        match self {
            Self::Issued(event) => event.credential,
            Self::FirstUsed(event) => event.credential,
            Self::SecretAdded(event) => event.credential,
            Self::SecretRetired(event) => event.credential,
            Self::ProofChanged(event) => event.credential,
            Self::Revoked(event) => event.credential,
            Self::Expiring(event) => event.credential,
            Self::Ended(event) => event.credential,
        }
    }
}

/// A credential was issued. Its secret, if it has one, was shown once. Who made it is the record's
/// actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialIssued {
    /// Names the credential, and is the client id where there is one.
    pub credential: CredentialId,
    /// What it lets its holder do.
    pub purpose: Purpose,
    /// How its holder proves to be it.
    pub proof: Proof,
    /// Whom or what it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// From when on it is refused; of a client secret, from when on this first one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A credential let somebody in for the first time. Which request it was is the record's exchange;
/// it may be noticed a while after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialFirstUsed {
    /// Which.
    pub credential: CredentialId,
}

/// A credential has one more secret, beside those before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialSecretAdded {
    /// Which.
    pub credential: CredentialId,
    /// SHA-256 of the secret, in lower-case hex.
    pub sha256: String,
    /// From when on it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// One secret of a credential is refused from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialSecretRetired {
    /// Which.
    pub credential: CredentialId,
    /// SHA-256 of the secret, in lower-case hex.
    pub sha256: String,
}

/// The holder of a credential proves to be it in another way, or by other values, from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialProofChanged {
    /// Which.
    pub credential: CredentialId,
    /// All of it.
    pub proof: Proof,
}

/// A credential is refused from now on, with all of its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRevoked {
    /// Which.
    pub credential: CredentialId,
}

/// A credential, or one secret of it, comes to its end. It was noticed by the clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialExpiring {
    /// Which.
    pub credential: CredentialId,
    /// SHA-256 of the secret that ends, if it is not the whole that does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// Within how many days: 60, 30, 7.
    pub days: u32,
}

/// A credential's time is over. It was noticed by the clock; what is let in does not depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialEnded {
    /// Which.
    pub credential: CredentialId,
    /// When.
    pub expires_at: DateTime<Utc>,
}
