//! SAML 2.0 service provider: a strict gate in front of `samael`, metadata, requests and logout.
//!
//! [`metadata::parse`] reads what an identity provider publishes, [`keys::generate`] makes our own
//! key, and a [`ServiceProvider`] put together from both writes requests and reads responses.
//! It keeps no state: that an assertion is used once, that a request is answered once, and by the
//! browser that made it, is up to the caller, who takes [`Assertion::id`] as a claim.
//!
//! Time and ids come in as arguments. Reading a response is work for the processor (about a
//! millisecond, decryption a few more): call it where blocking is allowed.
//!
//! [`Assertion::id`]: rollcall_domain::saml::Assertion::id

mod connection;
mod gate;
mod hardening;
pub mod keys;
mod logout;
mod message;
pub mod metadata;
mod provider;
mod redirect;
mod request;
mod response;
mod xml;

pub use connection::{Connection, Policy};
pub use keys::KeyPair;
pub use logout::{LogoutRequest, LogoutResponse, LogoutStatus};
pub use message::MessageError;
pub use metadata::{IdpMetadata, MetadataError};
pub use provider::{ServiceProvider, SetupError};
pub use request::AuthnOptions;
pub use response::Expected;
