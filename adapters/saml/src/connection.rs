//! The connection of one organization: what we are called in it, whom it trusts, what it accepts.

use crate::keys::KeyPair;
use chrono::TimeDelta;
use rollcall_domain::saml::IdpSettings;

/// What a connection is put together from.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Our entity id, "Identifier" in Azure: an `https:` or `urn:` URI, else Entra writes `spn:`
    /// before it.
    pub entity_id: String,
    /// Where responses are posted to, "Reply URL" in Azure.
    pub acs_url: String,
    /// Where logout messages are sent to, "Logout Url" in Azure.
    pub slo_url: String,
    /// Our own keys: the current one first, then those that are still accepted for decryption. May
    /// be empty.
    pub keys: Vec<KeyPair>,
    /// The identity provider.
    pub idp: IdpSettings,
    /// What is accepted.
    pub policy: Policy,
}

/// What is accepted, where SAML leaves a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether a response that answers no request is accepted (a tile in My Apps).
    pub allow_idp_initiated: bool,
    /// How far the clocks of both sides may be apart.
    pub clock_skew: TimeDelta,
    /// How old an assertion may be at most, whatever its conditions say.
    pub max_age: TimeDelta,
    /// Bytes of a response after base64.
    pub max_bytes: usize,
    /// Whether authentication requests are signed: Entra checks that only when an admin asks for
    /// it.
    pub sign_requests: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            allow_idp_initiated: false,
            clock_skew: TimeDelta::minutes(3),
            max_age: TimeDelta::minutes(5),
            max_bytes: 256 * 1024,
            sign_requests: false,
        }
    }
}
