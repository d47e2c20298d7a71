//! An organization, folded from its events.

use super::OrganizationEvent;
use super::saml_settings::SamlSettings;
use crate::ids::{AuditorId, TokenId};
use crate::provisioning_log::CycleDigest;
use crate::run::Noticed;
use crate::scim::Policy;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many tokens may be live at once: the old and the new one of a rotation.
pub const LIVE_TOKENS: usize = 2;
/// So many auditors' keys may be live at once.
pub const LIVE_AUDITORS: usize = 100;

/// The SCIM connection's switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scim {
    /// Never set up.
    #[default]
    Never,
    /// Accepts requests.
    Enabled,
    /// Answers 503.
    Disabled,
}

/// A SCIM token, or an auditor's key, as the organization knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// SHA-256 in lower-case hex.
    pub sha256: String,
    /// From when on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
    /// True once it was revoked.
    pub revoked: bool,
}

impl Token {
    /// Whether a request with this token is let in at an instant.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        !self.revoked && self.expires_at.is_none_or(|at| now < at)
    }
}

/// What an organization that exists has set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Its name for people.
    pub name: String,
    /// Its slug.
    pub domain: String,
    /// False while the operator has switched it off.
    pub enabled: bool,
    /// Its SCIM connection.
    pub scim: Scim,
    /// What it asks of its client.
    #[serde(default)]
    pub scim_policy: Policy,
    /// All tokens ever issued.
    pub tokens: BTreeMap<TokenId, Token>,
    /// The cycles of Entra's own log that were imported, and what names their content.
    #[serde(default)]
    pub imported: BTreeMap<String, CycleDigest>,
    /// How its sync cycles were last noticed to come; regularly, if nothing was.
    #[serde(default)]
    pub rhythm: Option<Noticed>,
    /// All auditors' keys ever issued.
    #[serde(default)]
    pub auditors: BTreeMap<AuditorId, Token>,
    /// Its SAML connection.
    #[serde(default)]
    pub saml: Box<SamlSettings>,
}

/// The state of one organization.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Organization {
    /// Not created yet.
    #[default]
    Absent,
    /// Exists.
    Present(Settings),
}

impl Organization {
    /// What an event makes of it.
    pub(super) fn evolve(&mut self, event: OrganizationEvent) {
        if let OrganizationEvent::Created { name, domain } = event {
            *self = Organization::Present(Settings {
                name,
                domain,
                enabled: true,
                scim: Scim::Never,
                scim_policy: Policy::default(),
                tokens: BTreeMap::new(),
                imported: BTreeMap::new(),
                rhythm: None,
                auditors: BTreeMap::new(),
                saml: Box::default(),
            });
            return;
        }
        let Organization::Present(settings) = self else { return };
        match event {
            OrganizationEvent::Created { .. } => {}
            OrganizationEvent::Disabled {} => settings.enabled = false,
            OrganizationEvent::Enabled {} => settings.enabled = true,
            OrganizationEvent::ScimEnabled {} => settings.scim = Scim::Enabled,
            OrganizationEvent::ScimDisabled {} => settings.scim = Scim::Disabled,
            OrganizationEvent::ScimPolicySet { policy } => settings.scim_policy = policy,
            OrganizationEvent::ScimTokenIssued { token, sha256, expires_at, .. } => {
                settings.tokens.insert(token, Token { sha256, expires_at, revoked: false });
            }
            OrganizationEvent::ScimTokenRevoked { token } => {
                if let Some(token) = settings.tokens.get_mut(&token) {
                    token.revoked = true;
                }
            }
            OrganizationEvent::ProvisioningLogImported { cycles } => {
                settings.imported.extend(cycles.into_iter().map(|c| (c.cycle, c.digest)));
            }
            OrganizationEvent::ProvisioningRhythmChanged(noticed) => settings.rhythm = Some(noticed),
            OrganizationEvent::AuditorKeyIssued { auditor, sha256, expires_at, .. } => {
                settings.auditors.insert(auditor, Token { sha256, expires_at, revoked: false });
            }
            OrganizationEvent::AuditorKeyRevoked { auditor } => {
                if let Some(key) = settings.auditors.get_mut(&auditor) {
                    key.revoked = true;
                }
            }
            event => settings.saml.evolve(&event),
        }
    }
}
