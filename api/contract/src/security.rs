//! Security event tokens (RFC 8417), as receivers ask for them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// A question for tokens (RFC 8936 section 2.2). Members that are not known are passed over.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PollRequest {
    /// So many tokens at most, 0 to 100; 100, if absent. With 0 nothing but acknowledgements is
    /// sent.
    pub max_events: Option<usize>,
    /// Whether to answer at once if there is none; else the answer waits for 25 seconds.
    pub return_immediately: bool,
    /// Tokens that were received, by `jti`.
    pub ack: Vec<Uuid>,
    /// Tokens that cannot be used, by `jti`; they come no more either.
    pub set_errs: BTreeMap<Uuid, SetError>,
}

/// Why a token cannot be used (RFC 8936 section 2.6).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SetError {
    /// One of the registered words, such as `invalid_key`.
    pub err: String,
    /// What the receiver has to say about it.
    #[serde(default)]
    pub description: String,
}

impl SetError {
    /// The registered word (RFC 8935 section 2.4), or that it is none.
    pub fn known(&self) -> &'static str {
        const WORDS: [&str; 6] = [
            "invalid_request",
            "invalid_key",
            "invalid_issuer",
            "invalid_audience",
            "authentication_failed",
            "access_denied",
        ];
        WORDS.into_iter().find(|word| *word == self.err).unwrap_or("another")
    }
}

/// Tokens (RFC 8936 section 2.3).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PollAnswer {
    /// Signed tokens, by `jti`.
    pub sets: BTreeMap<Uuid, String>,
    /// Whether there are more.
    pub more_available: bool,
}

/// Public keys (RFC 7517).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeySet {
    /// Each with its `kid`.
    pub keys: Vec<Value>,
}

/// The configuration of a transmitter (OpenID Shared Signals 1.0 section 7.1).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TransmitterConfiguration {
    /// `1_0`.
    pub spec_version: String,
    /// The issuer of tokens: `iss`.
    pub issuer: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// `urn:ietf:rfc:8935` for pushing, `urn:ietf:rfc:8936` for polling.
    pub delivery_methods_supported: Vec<String>,
    /// Members of subjects that have to be understood.
    pub critical_subject_members: Vec<String>,
    /// `ALL`: everybody is told of.
    pub default_subjects: String,
}
