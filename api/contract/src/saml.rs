//! An organization's SAML connection, and its own key pairs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// An identity provider's metadata: where it is, or what it says.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewMetadata {
    /// Azure's App Federation Metadata URL: https, and public.
    pub metadata_url: Option<String>,
    /// The document itself.
    pub metadata: Option<String>,
}

/// A SAML connection.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SamlBody {
    /// `never`, `enabled` or `disabled`.
    pub state: String,
    /// True if people can sign in.
    pub ready: bool,
    /// Goes into Azure's "Identifier (Entity ID)".
    pub identifier: String,
    /// Goes into Azure's "Reply URL (Assertion Consumer Service URL)".
    pub reply_url: String,
    /// Goes into Azure's "Sign on URL".
    pub sign_on_url: String,
    /// Goes into Azure's "Logout Url".
    pub logout_url: String,
    /// Where the identity provider's metadata is fetched.
    pub metadata_url: Option<String>,
    /// The identity provider's entity id.
    pub idp_entity_id: Option<String>,
    /// Where people are sent to sign in.
    pub idp_sign_on_url: Option<String>,
    /// Where people are sent to sign out.
    pub idp_logout_url: Option<String>,
    /// Certificates of both sides, those of the past too.
    pub certificates: Vec<CertificateBody>,
    /// What is allowed and asked for.
    pub policy: PolicyBody,
    /// What needs somebody's attention.
    pub warnings: Vec<String>,
}

/// A certificate.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CertificateBody {
    /// `identity-provider` or `service-provider`.
    pub owner: String,
    /// SHA-256 over the DER.
    pub sha256: String,
    /// Names our own key pair, while it is in use.
    pub key_id: Option<Uuid>,
    /// `current`, `previous`, `trusted`, `expired` or `former`.
    pub state: String,
    /// Its subject.
    pub subject: Option<String>,
    /// From when on it is valid.
    #[serde(serialize_with = "crate::time::serialize")]
    pub not_before: DateTime<Utc>,
    /// Until when it is valid.
    #[serde(serialize_with = "crate::time::serialize")]
    pub not_after: DateTime<Utc>,
    /// Since when it is in use here.
    #[serde(serialize_with = "crate::time::serialize")]
    pub since: DateTime<Utc>,
    /// Until when it was in use here.
    #[serde(serialize_with = "crate::time::optional")]
    pub until: Option<DateTime<Utc>>,
}

/// What is allowed and asked for. In a change, what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyBody {
    /// Whether a sign-in may begin at the identity provider.
    pub idp_initiated: Option<bool>,
    /// What people are recognized by, one to four of `name-id`, `object-id` and `claim:NAME`: the
    /// first that finds a user decides.
    pub identifiers: Option<Vec<String>>,
    /// Whether somebody whom SCIM has not sent becomes a user by signing in.
    pub just_in_time: Option<bool>,
    /// Addresses to which a browser may be sent; one that ends in `/` stands for all below it.
    pub targets: Option<Vec<String>>,
    /// Longest session, in minutes.
    pub session_minutes: Option<u32>,
    /// After how many minutes without being asked for a session ends; 0 for never.
    pub idle_minutes: Option<u32>,
    /// Whether authentication requests are signed.
    pub sign_requests: Option<bool>,
    /// Whether people prove anew who they are, each time that they sign in.
    pub force_authn: Option<bool>,
    /// How they must have proved it: one of these authentication context classes, or of Entra's
    /// authentication methods; in any way, if empty.
    pub authn_contexts: Option<Vec<String>>,
    /// Our entity id; empty for the address of our metadata.
    pub entity_id: Option<String>,
}

/// What a refresh came to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RefreshedBody {
    /// Whether anything changed.
    pub changed: bool,
}

/// A key pair's public half.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeyBody {
    /// Names the key pair.
    pub key_id: Uuid,
    /// SHA-256 over the certificate's DER.
    pub sha256: String,
    /// From when on the certificate is valid.
    #[serde(serialize_with = "crate::time::serialize")]
    pub not_before: DateTime<Utc>,
    /// Until when the certificate is valid.
    #[serde(serialize_with = "crate::time::serialize")]
    pub not_after: DateTime<Utc>,
    /// The certificate.
    pub certificate_pem: String,
}

/// The key pair in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct KeyPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Names the key pair.
    pub key: Uuid,
}
