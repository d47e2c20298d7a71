//! What every way in has in common: the application behind the doors, the life of an exchange, who
//! calls, and what is told to whom is refused.
//!
//! A door (SCIM, sign-on, the office) is a crate of its own that uses this one; none uses another's
//! rooms.

pub mod access_token;
mod addresses;
mod app;
pub mod audit;
pub mod callers;
pub mod config;
pub mod exchange;
mod given;
pub mod html;
pub mod nul;
mod refusal;
pub mod sealing;
pub mod session;
mod standing;
pub mod stopping;
pub mod strangers;

pub use app::{App, Settings};
pub use given::Given;
pub use refusal::Refusal;
pub use standing::{Standing, standing};

/// The SCIM base path below the public URL.
pub const SCIM_PREFIX: &str = "/scim/v2";

/// Below the public URL, what says where a SCIM client gets a token (RFC 9728 section 3.1).
pub const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource/scim/v2";
