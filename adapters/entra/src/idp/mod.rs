//! The identity provider half of Entra in a box: federation metadata, sign-in, tokens, logout.
//!
//! An [`IdentityProvider`] issues what Entra issues, in Entra's spelling: assertions signed,
//! responses signed, or both; encrypted when the application has a certificate for it; with one or
//! more keys during a rollover. [`server::serve`] puts it on a loopback port with a page to pick a
//! user.
//!
//! It writes XML as text, canonicalizes and signs it with its own code ([`c14n`], [`sign`]) and
//! OpenSSL's RSA, and shares nothing with the service provider that is tested with it. Time and ids
//! come in as arguments.

pub mod c14n;
pub mod encrypt;
mod logout;
mod metadata;
mod page;
mod provider;
mod query;
mod request;
pub mod server;
pub mod sign;
mod token;

pub use logout::LogoutMessage;
pub use provider::{Application, IdentityProvider, Person, SigningOption};
pub use request::{AuthnRequest, RequestError};
pub use sign::{Hash, SignError, SigningKey, Style};
pub use token::{Token, escaped, written};
