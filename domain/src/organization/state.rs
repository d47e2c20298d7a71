//! An organization, folded from its events.

use super::OrganizationEvent;
use super::credentials::credential;
use super::saml_settings::SamlSettings;
use crate::credential::Credentials;
use crate::provisioning_log::CycleDigest;
use crate::run::Noticed;
use crate::scim::Policy;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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

/// What an organization that exists has set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Its name for people.
    pub name: String,
    /// Its slug.
    pub domain: String,
    /// False while the operator has switched it off.
    pub enabled: bool,
    /// True once nobody of it can be read any more.
    #[serde(default)]
    pub erased: bool,
    /// Its SCIM connection.
    pub scim: Scim,
    /// What it asks of its client.
    #[serde(default)]
    pub scim_policy: Policy,
    /// Who is told by mail what needs somebody.
    #[serde(default)]
    pub recipients: BTreeSet<String>,
    /// Who is let in.
    pub credentials: Credentials,
    /// The cycles of Entra's own log that were imported, and what names their content.
    #[serde(default)]
    pub imported: BTreeMap<String, CycleDigest>,
    /// How its sync cycles were last noticed to come; regularly, if nothing was.
    #[serde(default)]
    pub rhythm: Option<Noticed>,
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
                erased: false,
                scim: Scim::Never,
                scim_policy: Policy::default(),
                recipients: BTreeSet::new(),
                credentials: Credentials::default(),
                imported: BTreeMap::new(),
                rhythm: None,
                saml: Box::default(),
            });
            return;
        }
        let Organization::Present(settings) = self else { return };
        match event {
            OrganizationEvent::Created { .. } => {}
            OrganizationEvent::Disabled {} => settings.enabled = false,
            OrganizationEvent::Enabled {} => settings.enabled = true,
            OrganizationEvent::Erased { .. } => settings.erased = true,
            OrganizationEvent::ScimEnabled {} => settings.scim = Scim::Enabled,
            OrganizationEvent::ScimDisabled {} => settings.scim = Scim::Disabled,
            OrganizationEvent::ScimPolicySet { policy } => settings.scim_policy = policy,
            OrganizationEvent::ProvisioningLogImported { cycles } => {
                settings.imported.extend(cycles.into_iter().map(|c| (c.cycle, c.digest)));
            }
            OrganizationEvent::ProvisioningLogForgotten { cycles } => {
                settings.imported.retain(|cycle, _| !cycles.contains(cycle));
            }
            OrganizationEvent::ProvisioningRhythmChanged(noticed) => {
                settings.rhythm = Some(noticed)
            }
            OrganizationEvent::TimesBounded { .. } => {}
            OrganizationEvent::NotificationRecipientsSet { recipients } => {
                settings.recipients = recipients.into_iter().collect();
            }
            event => match credential(&event) {
                Some(event) => settings.credentials.evolve(event),
                None => settings.saml.evolve(&event),
            },
        }
    }
}
