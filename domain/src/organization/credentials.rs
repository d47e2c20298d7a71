//! An organization's events as what they say of its credentials, however they said it.

use super::OrganizationEvent;
use crate::credential::{
    CredentialEvent, CredentialIssued, CredentialProofChanged, CredentialRevoked, Proof, Purpose,
};
use crate::ids::CredentialId;
use chrono::{DateTime, Utc};

/// What an event says of a credential; none if it is about something else.
pub fn credential(event: &OrganizationEvent) -> Option<CredentialEvent> {
    let bearer = |purpose,
                  credential,
                  sha256: &String,
                  label: &String,
                  expires_at: &Option<DateTime<Utc>>| {
        let proof = Proof::Token { sha256: sha256.clone() };
        CredentialEvent::Issued(CredentialIssued {
            credential,
            purpose,
            proof,
            label: label.clone(),
            expires_at: *expires_at,
        })
    };
    let revoked = |credential| CredentialEvent::Revoked(CredentialRevoked { credential });
    Some(match event {
        OrganizationEvent::CredentialIssued(event) => CredentialEvent::Issued(event.clone()),
        OrganizationEvent::CredentialFirstUsed(event) => CredentialEvent::FirstUsed(event.clone()),
        OrganizationEvent::CredentialSecretAdded(event) => {
            CredentialEvent::SecretAdded(event.clone())
        }
        OrganizationEvent::CredentialSecretRetired(event) => {
            CredentialEvent::SecretRetired(event.clone())
        }
        OrganizationEvent::CredentialProofChanged(event) => {
            CredentialEvent::ProofChanged(event.clone())
        }
        OrganizationEvent::CredentialRevoked(event) => CredentialEvent::Revoked(event.clone()),
        OrganizationEvent::CredentialExpiring(event) => CredentialEvent::Expiring(event.clone()),
        OrganizationEvent::CredentialEnded(event) => CredentialEvent::Ended(event.clone()),
        OrganizationEvent::ScimTokenIssued { token, sha256, label, expires_at } => {
            bearer(Purpose::Scim, (*token).into(), sha256, label, expires_at)
        }
        OrganizationEvent::AuditorKeyIssued { auditor, sha256, label, expires_at } => {
            bearer(Purpose::Audit, (*auditor).into(), sha256, label, expires_at)
        }
        OrganizationEvent::ScimTokenRevoked { token } => revoked((*token).into()),
        OrganizationEvent::AuditorKeyRevoked { auditor } => revoked((*auditor).into()),
        _ => return None,
    })
}

/// Puts other hashes of secrets into an event, each made of its credential and the hash that stands
/// there. False if it has none.
pub fn rehash(event: &mut OrganizationEvent, of: impl Fn(CredentialId, &str) -> String) -> bool {
    let (credential, sha256) = match event {
        OrganizationEvent::ScimTokenIssued { token, sha256, .. } => ((*token).into(), sha256),
        OrganizationEvent::AuditorKeyIssued { auditor, sha256, .. } => ((*auditor).into(), sha256),
        OrganizationEvent::CredentialSecretAdded(event) => (event.credential, &mut event.sha256),
        OrganizationEvent::CredentialSecretRetired(event) => (event.credential, &mut event.sha256),
        OrganizationEvent::CredentialExpiring(event) => match &mut event.sha256 {
            Some(sha256) => (event.credential, sha256),
            None => return false,
        },
        OrganizationEvent::CredentialIssued(CredentialIssued { credential, proof, .. })
        | OrganizationEvent::CredentialProofChanged(CredentialProofChanged { credential, proof }) => {
            match proof {
                Proof::Token { sha256 } | Proof::ClientSecret { sha256 } => (*credential, sha256),
                Proof::PrivateKeyJwt { .. } | Proof::Federated { .. } => return false,
            }
        }
        _ => return false,
    };
    *sha256 = of(credential, sha256);
    true
}

impl From<CredentialEvent> for OrganizationEvent {
    fn from(event: CredentialEvent) -> Self {
        match event {
            CredentialEvent::Issued(event) => Self::CredentialIssued(event),
            CredentialEvent::FirstUsed(event) => Self::CredentialFirstUsed(event),
            CredentialEvent::SecretAdded(event) => Self::CredentialSecretAdded(event),
            CredentialEvent::SecretRetired(event) => Self::CredentialSecretRetired(event),
            CredentialEvent::ProofChanged(event) => Self::CredentialProofChanged(event),
            CredentialEvent::Revoked(event) => Self::CredentialRevoked(event),
            CredentialEvent::Expiring(event) => Self::CredentialExpiring(event),
            CredentialEvent::Ended(event) => Self::CredentialEnded(event),
        }
    }
}
