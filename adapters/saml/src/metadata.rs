//! Metadata: what an identity provider publishes, and what we publish.

mod publish;
mod read;

pub(crate) use publish::write;
pub use read::parse;
pub(crate) use read::weakness;

use chrono::{DateTime, Utc};
use rollcall_domain::saml::IdpSettings;

/// Bytes of a metadata document that are accepted.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Signing certificates that are taken from a document: each costs a verification in the worst
/// case.
pub const MAX_CERTIFICATES: usize = 16;

/// An identity provider's metadata, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdpMetadata {
    /// What is taken from it.
    pub settings: IdpSettings,
    /// Certificates that were left out, and why: too weak, broken, not RSA.
    pub skipped: Vec<String>,
}

/// Why a metadata document cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// More bytes than are read.
    #[error("the metadata is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Not a text in UTF-8.
    #[error("the metadata is not UTF-8")]
    NotUtf8,
    /// Has a document type declaration.
    #[error("the metadata has a document type declaration")]
    Doctype,
    /// Not XML, or XML of a depth or size that no metadata has.
    #[error("the metadata is not well-formed XML: {0}")]
    NotXml(String),
    /// XML, but not SAML metadata of one entity.
    #[error("this is not SAML metadata of an identity provider: {0}")]
    NotSaml(String),
    /// No entity id.
    #[error("the metadata has no entity id")]
    NoEntityId,
    /// Describes all tenants at once (`common`), so that its entity id names none.
    #[error(
        "this metadata is for all tenants at once; use the one of the application, with your tenant's id in its address"
    )]
    ManyTenants,
    /// Not an identity provider for SAML 2.0.
    #[error("the metadata describes no identity provider for SAML 2.0")]
    NoIdp,
    /// Nowhere to send a request to.
    #[error("the metadata has no sign-on address on the redirect binding")]
    NoSignOnUrl,
    /// An address that a browser must not be sent to.
    #[error("the metadata has an address that is not https: {0}")]
    Address(String),
    /// No key to verify a signature with.
    #[error("the metadata has no usable signing certificate{0}")]
    NoSigningCertificate(String),
    /// Its validity has ended.
    #[error("the metadata was valid until {0} only")]
    Expired(DateTime<Utc>),
}
