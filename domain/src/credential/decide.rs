//! What a command about credentials comes to: each holder tells it in events of its own.

use super::command::MOST_AUDIENCES;
use super::ring::{Credential, Credentials};
use super::valid::{is_value, may_be_issued, secret_life};
use super::{
    CredentialCommand, CredentialError, CredentialEvent, CredentialFirstUsed,
    CredentialProofChanged, CredentialRevoked, CredentialSecretAdded, CredentialSecretRetired,
    Proof, Purpose, notice,
};
use crate::ids::CredentialId;
use chrono::{DateTime, Utc};

/// So many secrets of one client may be live at once: the old and the new one of a rotation.
const LIVE_SECRETS: usize = 2;

impl Credentials {
    /// Decides a command. What is so already leads to nothing.
    ///
    /// # Errors
    /// If it is not to be.
    pub fn decide(
        &self,
        command: CredentialCommand,
        now: DateTime<Utc>,
    ) -> Result<Vec<CredentialEvent>, CredentialError> {
        match command {
            CredentialCommand::Issue(issued) => {
                may_be_issued(self, &issued, now).map(|()| vec![CredentialEvent::Issued(issued)])
            }
            CredentialCommand::Revoke { credential, purpose } => {
                let known = self.of(credential, purpose)?;
                let revoked = CredentialEvent::Revoked(CredentialRevoked { credential });
                Ok(Vec::from_iter((!known.revoked).then_some(revoked)))
            }
            CredentialCommand::AddSecret { credential, sha256, expires_at } => {
                self.add_secret(credential, sha256, expires_at, now)
            }
            CredentialCommand::RetireSecret { credential } => self.retire_secret(credential, now),
            CredentialCommand::TrustAudience { credential, audience } => {
                self.trust_audience(credential, audience)
            }
            CredentialCommand::NoteUse { credential } => {
                let unused = self.get(credential).is_some_and(|known| !known.used);
                let used = CredentialEvent::FirstUsed(CredentialFirstUsed { credential });
                Ok(Vec::from_iter(unused.then_some(used)))
            }
            CredentialCommand::NoteEnds => Ok(notice::due(self, now)),
        }
    }

    fn of(
        &self,
        credential: CredentialId,
        purpose: Purpose,
    ) -> Result<&Credential, CredentialError> {
        let known = self.get(credential).filter(|known| known.purpose == purpose);
        known.ok_or(CredentialError::Unknown(purpose))
    }

    /// One of a SCIM client that may be changed.
    fn of_client(&self, credential: CredentialId) -> Result<&Credential, CredentialError> {
        let known = self.of(credential, Purpose::Scim)?;
        if known.revoked { Err(CredentialError::Revoked) } else { Ok(known) }
    }

    fn add_secret(
        &self,
        credential: CredentialId,
        sha256: String,
        expires_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Vec<CredentialEvent>, CredentialError> {
        let known = self.of_client(credential)?;
        if !matches!(known.proof, Proof::ClientSecret { .. }) {
            return Err(CredentialError::OtherProof);
        }
        secret_life(expires_at, now)?;
        if known.secrets.iter().filter(|secret| secret.is_live(now)).count() >= LIVE_SECRETS {
            return Err(CredentialError::TooManySecrets);
        }
        let added = CredentialSecretAdded { credential, sha256, expires_at };
        Ok(vec![CredentialEvent::SecretAdded(added)])
    }

    fn retire_secret(
        &self,
        credential: CredentialId,
        now: DateTime<Utc>,
    ) -> Result<Vec<CredentialEvent>, CredentialError> {
        let known = self.of_client(credential)?;
        let Proof::ClientSecret { .. } = known.proof else {
            return Err(CredentialError::OtherProof);
        };
        let mut live = known.secrets.iter().filter(|secret| secret.is_live(now));
        match (live.next(), live.next()) {
            (Some(older), Some(_)) => {
                let sha256 = older.sha256.clone();
                let retired = CredentialSecretRetired { credential, sha256 };
                Ok(vec![CredentialEvent::SecretRetired(retired)])
            }
            _ => Err(CredentialError::OnlySecret),
        }
    }

    fn trust_audience(
        &self,
        credential: CredentialId,
        audience: String,
    ) -> Result<Vec<CredentialEvent>, CredentialError> {
        let mut proof = self.of_client(credential)?.proof.clone();
        let Proof::Federated { audiences, .. } = &mut proof else {
            return Err(CredentialError::OtherProof);
        };
        if audiences.contains(&audience) {
            return Ok(Vec::new());
        }
        if !is_value(&audience) {
            return Err(CredentialError::InvalidProof(
                "an audience must have 1 to 500 characters, no blanks and no control characters",
            ));
        }
        if audiences.len() >= MOST_AUDIENCES {
            return Err(CredentialError::TooManyAudiences);
        }
        audiences.push(audience);
        let changed = CredentialProofChanged { credential, proof };
        Ok(vec![CredentialEvent::ProofChanged(changed)])
    }
}
