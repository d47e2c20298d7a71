//! An organization's SAML connection, folded from its events.

use super::OrganizationEvent;
use super::saml::{IdpEndpoints, SamlKey, SamlPolicy, SamlState};
use crate::login::Identifier;
use crate::saml::{IdpCertificate, IdpSettings};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many key pairs may be in use at once: the old and the new one of a rotation.
pub const LIVE_KEYS: usize = 2;
/// What an organization has set for SAML.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlSettings {
    /// The switch.
    pub state: SamlState,
    /// Where its metadata is fetched; absent if a document was given.
    pub metadata_url: Option<String>,
    /// The identity provider.
    pub idp: Option<IdpEndpoints>,
    /// The certificates it may sign with, by fingerprint.
    pub certificates: BTreeMap<String, IdpCertificate>,
    /// Our own key pairs in use, the current one last.
    pub keys: Vec<SamlKey>,
    /// What is allowed and asked for.
    pub policy: SamlPolicy,
    /// Whether an event said so. A connection of before there were identifiers may have none, and
    /// recognizes people as it did.
    #[serde(default)]
    pub policy_told: bool,
    /// For each certificate, in how many days its end was last warned of.
    pub warned: BTreeMap<String, u32>,
}

impl SamlSettings {
    /// The identity provider with the certificates that are trusted now.
    pub fn idp_settings(&self) -> Option<IdpSettings> {
        let idp = self.idp.clone()?;
        Some(IdpSettings {
            entity_id: idp.entity_id,
            sso_redirect_url: idp.sso_redirect_url,
            slo_redirect_url: idp.slo_redirect_url,
            slo_response_url: idp.slo_response_url,
            signing_certificates: self.certificates.values().cloned().collect(),
            valid_until: idp.valid_until,
        })
    }

    /// The key pair that signs.
    pub fn current_key(&self) -> Option<&SamlKey> {
        self.keys.last()
    }

    /// Whether single sign-on is set up and not switched off.
    pub fn is_ready(&self) -> bool {
        self.state == SamlState::Enabled && self.idp.is_some()
    }

    /// What an event does to it.
    pub fn evolve(&mut self, event: &OrganizationEvent) {
        match event {
            OrganizationEvent::SamlConfigured { metadata_url, idp } => {
                self.metadata_url.clone_from(metadata_url);
                self.idp = Some(idp.clone());
                if !self.policy_told {
                    self.policy.identifiers = Identifier::of_before();
                }
            }
            OrganizationEvent::SamlCertificateTrusted { certificate } => {
                self.certificates.insert(certificate.sha256.clone(), certificate.clone());
            }
            OrganizationEvent::SamlCertificateDropped { sha256 } => {
                self.certificates.remove(sha256);
                self.warned.remove(sha256);
            }
            OrganizationEvent::SamlCertificateExpiring { sha256, days, .. } => {
                self.warned.insert(sha256.clone(), *days);
            }
            OrganizationEvent::SamlKeyGenerated { key } => self.keys.push(key.clone()),
            OrganizationEvent::SamlKeyRetired { key } => {
                if let Some(gone) = self.keys.iter().find(|k| k.id == *key) {
                    self.warned.remove(&gone.certificate.sha256);
                }
                self.keys.retain(|k| k.id != *key);
            }
            OrganizationEvent::SamlPolicyChanged { policy } => {
                self.policy = policy.clone();
                self.policy_told = true;
            }
            OrganizationEvent::SamlEnabled {} => self.state = SamlState::Enabled,
            OrganizationEvent::SamlDisabled {} => self.state = SamlState::Disabled,
            _ => {}
        }
    }
}
