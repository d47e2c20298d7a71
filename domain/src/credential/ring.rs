//! The credentials of one holder, an organization or the deployment: which are let in.

use super::{CredentialEvent, CredentialIssued, CredentialSecretAdded, Proof, Purpose};
use crate::ids::CredentialId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A secret of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// SHA-256 in lower-case hex.
    pub sha256: String,
    /// From when on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
    /// Within how many days of its end that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warned: Option<u32>,
}

impl Secret {
    /// Whether it is let in at an instant. What expires at that very instant is refused already.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

/// A credential as its holder knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// What it lets its holder do.
    pub purpose: Purpose,
    /// How its holder proves to be it.
    pub proof: Proof,
    /// Secrets that were not retired.
    pub secrets: Vec<Secret>,
    /// From when on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
    /// True once it was revoked.
    pub revoked: bool,
    /// True once it let somebody in.
    pub used: bool,
    /// Within how many days of its end that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warned: Option<u32>,
    /// True once it was told that its time is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

impl Credential {
    /// Whether it lets anybody in at an instant.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        let by_secret = self.proof.sha256().is_some();
        !self.revoked
            && if by_secret {
                self.secrets.iter().any(|secret| secret.is_live(now))
            } else {
                self.expires_at.is_none_or(|at| at > now)
            }
    }
}

/// All credentials ever issued.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credentials(BTreeMap<CredentialId, Credential>);

impl Credentials {
    /// One of them.
    pub fn get(&self, credential: CredentialId) -> Option<&Credential> {
        self.0.get(&credential)
    }

    /// All of them with their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&CredentialId, &Credential)> {
        self.0.iter()
    }

    /// All of them.
    pub(super) fn values(&self) -> impl Iterator<Item = &Credential> {
        self.0.values()
    }

    /// Takes what happened.
    pub(crate) fn evolve(&mut self, event: CredentialEvent) {
        match event {
            CredentialEvent::Issued(event) => self.issued(event),
            CredentialEvent::FirstUsed(event) => {
                self.with(event.credential, |known| known.used = true)
            }
            CredentialEvent::SecretAdded(event) => {
                let CredentialSecretAdded { sha256, expires_at, .. } = event;
                let secret = Secret { sha256, expires_at, warned: None };
                self.with(event.credential, |known| known.secrets.push(secret));
            }
            CredentialEvent::SecretRetired(event) => {
                self.with(event.credential, |known| {
                    known.secrets.retain(|secret| secret.sha256 != event.sha256)
                });
            }
            CredentialEvent::ProofChanged(event) => {
                self.with(event.credential, |known| known.proof = event.proof)
            }
            CredentialEvent::Revoked(event) => {
                self.with(event.credential, |known| known.revoked = true)
            }
            CredentialEvent::Expiring(event) => {
                self.with(event.credential, |known| match &event.sha256 {
                    None => known.warned = Some(event.days),
                    Some(sha256) => {
                        let secret = known.secrets.iter_mut().find(|s| s.sha256 == *sha256);
                        if let Some(secret) = secret {
                            secret.warned = Some(event.days);
                        }
                    }
                })
            }
            CredentialEvent::Ended(event) => {
                self.with(event.credential, |known| known.ended = true)
            }
        }
    }

    fn issued(&mut self, event: CredentialIssued) {
        let CredentialIssued { credential, purpose, proof, expires_at, .. } = event;
        let secrets = proof
            .sha256()
            .map(|sha256| Secret { sha256: sha256.to_owned(), expires_at, warned: None })
            .into_iter()
            .collect();
        self.0.insert(
            credential,
            Credential {
                purpose,
                proof,
                secrets,
                expires_at,
                revoked: false,
                used: false,
                warned: None,
                ended: false,
            },
        );
    }

    fn with(&mut self, credential: CredentialId, change: impl FnOnce(&mut Credential)) {
        if let Some(known) = self.0.get_mut(&credential) {
            change(known);
        }
    }
}
