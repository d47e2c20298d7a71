//! What can have happened to an organization. Published payloads are frozen: a change is a new version.

use crate::ids::TokenId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// An event of an organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OrganizationEvent {
    /// The organization came to be.
    #[serde(rename = "OrganizationCreated")]
    Created {
        /// Its name for people.
        name: String,
        /// Its slug in URLs and on the command line, unique in the deployment.
        domain: String,
    },
    /// The operator switched it off: every request is answered 503 until it is on again.
    #[serde(rename = "OrganizationDisabled")]
    Disabled {},
    /// The operator switched it on again.
    #[serde(rename = "OrganizationEnabled")]
    Enabled {},
    /// Its SCIM connection accepts requests.
    #[serde(rename = "ScimEnabled")]
    ScimEnabled {},
    /// Its SCIM connection answers 503.
    #[serde(rename = "ScimDisabled")]
    ScimDisabled {},
    /// A SCIM token was issued. It was shown once; here is its hash.
    #[serde(rename = "ScimTokenIssued")]
    ScimTokenIssued {
        /// Names the token.
        token: TokenId,
        /// SHA-256 of the token, in lower-case hex.
        sha256: String,
        /// What the operator calls it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        label: String,
        /// From when on it is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// A SCIM token is refused from now on.
    #[serde(rename = "ScimTokenRevoked")]
    ScimTokenRevoked {
        /// Names the token.
        token: TokenId,
    },
}

impl OrganizationEvent {
    /// The stable name and payload version of an event.
    pub fn kind(&self) -> (&'static str, &'static str) {
        match self {
            OrganizationEvent::Created { .. } => ("OrganizationCreated", "1"),
            OrganizationEvent::Disabled {} => ("OrganizationDisabled", "1"),
            OrganizationEvent::Enabled {} => ("OrganizationEnabled", "1"),
            OrganizationEvent::ScimEnabled {} => ("ScimEnabled", "1"),
            OrganizationEvent::ScimDisabled {} => ("ScimDisabled", "1"),
            OrganizationEvent::ScimTokenIssued { .. } => ("ScimTokenIssued", "1"),
            OrganizationEvent::ScimTokenRevoked { .. } => ("ScimTokenRevoked", "1"),
        }
    }
}

impl cqrs_es::DomainEvent for OrganizationEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }
    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}
