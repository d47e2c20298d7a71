//! Signing on: SAML over HTTP, and the sessions that come of it.

pub mod cookies;
pub mod saml;
pub mod sessions;

pub use saml::SignOn;
