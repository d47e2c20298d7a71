//! What an organization's SAML connection consists of, as its events tell it.

use crate::ids::SamlKeyId;
use crate::login::Identifier;
use crate::saml::IdpSettings;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Longest session that a policy may allow, in minutes: thirty days.
pub const MAX_SESSION_MINUTES: u32 = 30 * 24 * 60;

/// The SAML connection's switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SamlState {
    /// Never set up.
    #[default]
    Never,
    /// People can sign in.
    Enabled,
    /// Answers 503.
    Disabled,
}

impl SamlState {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            SamlState::Never => "never",
            SamlState::Enabled => "enabled",
            SamlState::Disabled => "disabled",
        }
    }
}

/// The certificate of one of our own key pairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpCertificate {
    /// SHA-256 over the DER, in lower-case hex.
    pub sha256: String,
    /// The DER, in base64 without line breaks.
    pub der: String,
    /// From when on it is valid.
    pub not_before: DateTime<Utc>,
    /// Until when it is valid.
    pub not_after: DateTime<Utc>,
}

/// A private key, encrypted with the deployment's key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedKey {
    /// How, such as `aes-256-gcm`.
    pub algorithm: String,
    /// Names the deployment's key, without telling it.
    pub sealed_with: String,
    /// Used once, in base64.
    pub nonce: String,
    /// Ciphertext and tag, in base64.
    pub ciphertext: String,
}

impl std::fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedKey({} with {})", self.algorithm, self.sealed_with)
    }
}

/// One of our own key pairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlKey {
    /// Names it.
    pub id: SamlKeyId,
    /// Its public half.
    pub certificate: SpCertificate,
    /// Its private half.
    pub sealed: SealedKey,
}

/// What an organization allows and asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SamlPolicy {
    /// Whether a sign-in may begin at the identity provider (a tile in My Apps).
    pub idp_initiated: bool,
    /// What users are recognized by: the first that finds somebody decides.
    pub identifiers: Vec<Identifier>,
    /// Whether somebody whom SCIM has not sent becomes a user by signing in.
    pub just_in_time: bool,
    /// Addresses to which a browser may be sent after signing in or out; the first one is used when
    /// none is asked for. One that ends in `/` stands for everything below it.
    pub targets: Vec<String>,
    /// Longest session, in minutes.
    pub session_minutes: u32,
    /// After how many minutes without being asked for a session ends; never, if absent.
    pub idle_minutes: Option<u32>,
    /// Whether authentication requests are signed.
    pub sign_requests: bool,
    /// Whether people prove anew who they are, each time that they sign in.
    pub force_authn: bool,
    /// How they must have proved it: one of these authentication context classes, or of Entra's
    /// authentication methods; in any way, if empty.
    pub authn_contexts: Vec<String>,
    /// Our entity id, if it is not where our metadata is.
    pub entity_id: Option<String>,
}

impl Default for SamlPolicy {
    fn default() -> Self {
        Self {
            idp_initiated: true,
            identifiers: vec![Identifier::NameId],
            just_in_time: false,
            targets: Vec::new(),
            session_minutes: 8 * 60,
            idle_minutes: None,
            sign_requests: false,
            force_authn: false,
            authn_contexts: Vec::new(),
            entity_id: None,
        }
    }
}

impl SamlPolicy {
    /// Whether a browser may be sent to an address. It is compared as text, so that nothing that a
    /// browser and a parser read differently can pass: no control character, no backslash, no `..`.
    pub fn allows_target(&self, target: &str) -> bool {
        let plain = target.len() <= 2_000
            && target.bytes().all(|b| b.is_ascii_graphic())
            && !target.contains(['\\', '@']);
        let climbs = || {
            let path = target
                .split(['?', '#'])
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase()
                .replace("%2e", ".");
            path.split('/').any(|segment| segment == ".." || segment == ".")
        };
        let below = |allowed: &str| {
            target == allowed || (allowed.ends_with('/') && target.starts_with(allowed))
        };
        plain && !climbs() && self.targets.iter().any(|allowed| below(allowed))
    }

    /// The address to go to when none is asked for.
    pub fn default_target(&self) -> Option<&str> {
        self.targets.first().map(String::as_str)
    }
}

/// The identity provider without its certificates, which are told one by one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdpEndpoints {
    /// Its entity id.
    pub entity_id: String,
    /// Where an authentication request goes.
    pub sso_redirect_url: String,
    /// Where a logout request goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo_redirect_url: Option<String>,
    /// Where a logout response goes, if to another place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo_response_url: Option<String>,
    /// From when on the metadata must not be used any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<DateTime<Utc>>,
}

impl From<&IdpSettings> for IdpEndpoints {
    fn from(idp: &IdpSettings) -> Self {
        Self {
            entity_id: idp.entity_id.clone(),
            sso_redirect_url: idp.sso_redirect_url.clone(),
            slo_redirect_url: idp.slo_redirect_url.clone(),
            slo_response_url: idp.slo_response_url.clone(),
            valid_until: idp.valid_until,
        }
    }
}
