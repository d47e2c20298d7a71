//! From an organization's settings to a service provider that can read its messages.

use super::addresses::Addresses;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall_domain::ids::{OrganizationId, SamlKeyId};
use rollcall_domain::log::Version;
use rollcall_domain::organization::{SamlKey, SamlSettings};
use rollcall_door::sealing::{DeploymentKey, SealError};
use rollcall_projections::saml::SamlConnection;
use rollcall_saml::keys::KeyError;
use rollcall_saml::{Connection, KeyPair, Policy, ServiceProvider, SetupError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// So many are kept; more begin anew.
const KEPT: usize = 1_000;

/// Why an organization's service provider cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// No identity provider yet.
    #[error("single sign-on is not set up")]
    NotConfigured,
    /// Its private key is out of reach.
    #[error("the private key {0} cannot be opened: {1}")]
    Sealed(SamlKeyId, SealError),
    /// Its private key or certificate is damaged.
    #[error("the key pair {0} cannot be read: {1}")]
    Key(SamlKeyId, KeyError),
    /// The settings do not make a service provider.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

/// What a sealed key is bound to: its organization and its name.
pub fn sealed_about(organization: OrganizationId, key: SamlKeyId) -> String {
    format!("saml key {key} of {organization}")
}

fn key_pair(
    organization: OrganizationId,
    key: &SamlKey,
    deployment: &DeploymentKey,
) -> Result<KeyPair, ConnectionError> {
    let private = deployment
        .open(&key.sealed, &sealed_about(organization, key.id))
        .map_err(|e| ConnectionError::Sealed(key.id, e))?;
    let certificate = STANDARD
        .decode(&key.certificate.der)
        .map_err(|_| ConnectionError::Sealed(key.id, SealError::Damaged))?;
    KeyPair::from_der(&private, &certificate).map_err(|e| ConnectionError::Key(key.id, e))
}

fn provider(
    organization: OrganizationId,
    settings: &SamlSettings,
    addresses: &Addresses,
    deployment: &DeploymentKey,
) -> Result<ServiceProvider, ConnectionError> {
    let idp = settings.idp_settings().ok_or(ConnectionError::NotConfigured)?;
    // The current one is the last that came, and the first that is used.
    let keys: Result<Vec<KeyPair>, ConnectionError> =
        settings.keys.iter().rev().map(|k| key_pair(organization, k, deployment)).collect();
    let policy = Policy {
        allow_idp_initiated: settings.policy.idp_initiated,
        sign_requests: settings.policy.sign_requests,
        ..Policy::default()
    };
    let (entity_id, acs_url, slo_url) =
        (addresses.identifier.clone(), addresses.reply_url.clone(), addresses.logout_url.clone());
    Ok(ServiceProvider::new(Connection { entity_id, acs_url, slo_url, keys: keys?, idp, policy })?)
}

/// Service providers that were put together lately, as of a version of their settings.
#[derive(Debug, Default)]
pub struct Providers(Mutex<HashMap<OrganizationId, (Version, Arc<ServiceProvider>)>>);

impl Providers {
    /// The service provider of a connection.
    pub fn of(
        &self,
        connection: &SamlConnection,
        addresses: &Addresses,
        deployment: &DeploymentKey,
    ) -> Result<Arc<ServiceProvider>, ConnectionError> {
        let organization = connection.organization;
        {
            let known = self.0.lock().unwrap_or_else(|e| e.into_inner());
            if let Some((_, provider)) =
                known.get(&organization).filter(|(version, _)| *version == connection.version)
            {
                return Ok(provider.clone());
            }
        }
        let made = Arc::new(provider(organization, &connection.settings, addresses, deployment)?);
        let mut known = self.0.lock().unwrap_or_else(|e| e.into_inner());
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(organization, (connection.version, made.clone()));
        Ok(made)
    }
}
