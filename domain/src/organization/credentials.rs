//! An organization's events as what they say of its credentials, however they said it.

use super::OrganizationEvent;
use crate::credential::{CredentialEvent, CredentialIssued, CredentialProofChanged, CredentialRevoked, Proof, Purpose};
use crate::ids::CredentialId;

/// What an event says of a credential; else the event.
///
/// # Errors
/// If it is about something else.
pub fn credential(event: OrganizationEvent) -> Result<CredentialEvent, OrganizationEvent> {
    Ok(match event {
        OrganizationEvent::CredentialIssued(event) => CredentialEvent::Issued(event),
        OrganizationEvent::CredentialFirstUsed(event) => CredentialEvent::FirstUsed(event),
        OrganizationEvent::CredentialSecretAdded(event) => CredentialEvent::SecretAdded(event),
        OrganizationEvent::CredentialSecretRetired(event) => CredentialEvent::SecretRetired(event),
        OrganizationEvent::CredentialProofChanged(event) => CredentialEvent::ProofChanged(event),
        OrganizationEvent::CredentialRevoked(event) => CredentialEvent::Revoked(event),
        OrganizationEvent::CredentialExpiring(_) | OrganizationEvent::CredentialEnded(_) => CredentialEvent::Noticed,
        OrganizationEvent::ScimTokenIssued { token, sha256, label, expires_at } => CredentialEvent::Issued(CredentialIssued {
            credential: token.into(),
            purpose: Purpose::Scim,
            proof: Proof::Token { sha256 },
            label,
            expires_at,
        }),
        OrganizationEvent::AuditorKeyIssued { auditor, sha256, label, expires_at } => CredentialEvent::Issued(CredentialIssued {
            credential: auditor.into(),
            purpose: Purpose::Audit,
            proof: Proof::Token { sha256 },
            label,
            expires_at,
        }),
        OrganizationEvent::ScimTokenRevoked { token } => CredentialEvent::Revoked(CredentialRevoked { credential: token.into() }),
        OrganizationEvent::AuditorKeyRevoked { auditor } => CredentialEvent::Revoked(CredentialRevoked { credential: auditor.into() }),
        other => return Err(other),
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
        OrganizationEvent::CredentialIssued(CredentialIssued { credential, proof, .. })
        | OrganizationEvent::CredentialProofChanged(CredentialProofChanged { credential, proof }) => match proof {
            Proof::Token { sha256 } | Proof::ClientSecret { sha256 } => (*credential, sha256),
            Proof::PrivateKeyJwt { .. } | Proof::Federated { .. } => return false,
        },
        _ => return false,
    };
    *sha256 = of(credential, sha256);
    true
}
