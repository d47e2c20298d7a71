//! The credentials of one holder, an organization or the deployment: which may be issued, and which
//! are let in.

use super::{CredentialEvent, CredentialIssued, CredentialRevoked, Proof, Purpose};
use crate::ids::CredentialId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many SCIM tokens may be live at once: the old and the new one of a rotation. They are taken
/// only where nothing better is offered.
const LIVE_TOKENS: usize = 2;
/// So long may a label be, in characters.
const LABEL_CHARS: usize = 200;

/// A secret of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// SHA-256 in lower-case hex.
    pub sha256: String,
    /// From when on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
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
}

impl Credential {
    /// Whether it lets anybody in at an instant.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        let by_secret = self.proof.sha256().is_some();
        let ends = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
        !self.revoked
            && if by_secret {
                self.secrets.iter().any(|s| !ends(s.expires_at))
            } else {
                !ends(self.expires_at)
            }
    }
}

/// What can be asked about credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialCommand {
    /// Let one in.
    Issue(CredentialIssued),
    /// Refuse one from now on.
    Revoke {
        /// Which.
        credential: CredentialId,
        /// It must be for this.
        purpose: Purpose,
    },
}

/// Why a command about credentials was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The label cannot be used.
    #[error("the label must say whom or what the {} is for: 1 to {LABEL_CHARS} characters, no control characters", .0.noun())]
    InvalidLabel(Purpose),
    /// The end is not in the future.
    #[error("the {} would be expired already: give an expiry in the future", .0.noun())]
    ExpiryPassed(Purpose),
    /// As many tokens are live as may be.
    #[error("two tokens are live already, which is enough for a rotation: revoke one first")]
    TooManyTokens,
    /// As many are live as may be.
    #[error("{} of them are live already: revoke those that nobody needs", .0.most_live())]
    TooMany(Purpose),
    /// There is none.
    #[error("there is no such {}", .0.noun())]
    Unknown(Purpose),
    /// The id was given out before.
    #[error("a credential with this id exists")]
    Exists,
}

/// What a command about credentials leads to; each holder tells it in events of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// One is let in.
    Issued(CredentialIssued),
    /// One is refused.
    Revoked(CredentialRevoked),
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

    /// Decides a command. What is so already leads to nothing.
    ///
    /// # Errors
    /// If it is not to be.
    pub fn decide(
        &self,
        command: CredentialCommand,
        now: DateTime<Utc>,
    ) -> Result<Option<Change>, CredentialError> {
        match command {
            CredentialCommand::Issue(issued) => {
                self.may_be_issued(&issued, now).map(|()| Some(Change::Issued(issued)))
            }
            CredentialCommand::Revoke { credential, purpose } => {
                match self.0.get(&credential).filter(|c| c.purpose == purpose) {
                    None => Err(CredentialError::Unknown(purpose)),
                    Some(known) => Ok((!known.revoked)
                        .then_some(Change::Revoked(CredentialRevoked { credential }))),
                }
            }
        }
    }

    fn may_be_issued(
        &self,
        issued: &CredentialIssued,
        now: DateTime<Utc>,
    ) -> Result<(), CredentialError> {
        let CredentialIssued { credential, purpose, proof, label, expires_at } = issued;
        let is_token = |purpose, proof: &Proof| {
            purpose == Purpose::Scim && matches!(proof, Proof::Token { .. })
        };
        // Tokens were always issued without one.
        let needs_label = !is_token(*purpose, proof);
        let plain = label.chars().count() <= LABEL_CHARS && !label.chars().any(char::is_control);
        if !plain || needs_label && label.trim().is_empty() {
            return Err(CredentialError::InvalidLabel(*purpose));
        }
        if expires_at.is_some_and(|at| at <= now) {
            return Err(CredentialError::ExpiryPassed(*purpose));
        }
        if self.0.contains_key(credential) {
            return Err(CredentialError::Exists);
        }
        let live = || self.0.values().filter(|c| c.is_live(now));
        if is_token(*purpose, proof)
            && live().filter(|c| is_token(c.purpose, &c.proof)).count() >= LIVE_TOKENS
        {
            return Err(CredentialError::TooManyTokens);
        }
        if live().filter(|c| c.purpose == *purpose).count() >= purpose.most_live() {
            return Err(CredentialError::TooMany(*purpose));
        }
        Ok(())
    }

    /// Takes what happened.
    pub(crate) fn evolve(&mut self, event: CredentialEvent) {
        match event {
            CredentialEvent::Issued(event) => self.issued(event),
            CredentialEvent::FirstUsed(event) => {
                self.with(event.credential, |known| known.used = true)
            }
            CredentialEvent::SecretAdded(event) => {
                let secret = Secret { sha256: event.sha256, expires_at: event.expires_at };
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
            CredentialEvent::Noticed => {}
        }
    }

    fn issued(&mut self, event: CredentialIssued) {
        let CredentialIssued { credential, purpose, proof, expires_at, .. } = event;
        let secrets = proof
            .sha256()
            .map(|sha256| Secret { sha256: sha256.to_owned(), expires_at })
            .into_iter()
            .collect();
        self.0.insert(
            credential,
            Credential { purpose, proof, secrets, expires_at, revoked: false, used: false },
        );
    }

    fn with(&mut self, credential: CredentialId, change: impl FnOnce(&mut Credential)) {
        if let Some(known) = self.0.get_mut(&credential) {
            change(known);
        }
    }
}
