//! What every way in has in common: the application behind the doors, the life of an exchange, who
//! calls, and what is told to whom is refused.
//!
//! A door (SCIM, sign-on, the office) is a crate of its own that uses this one; none uses another's
//! rooms.

mod app;
pub mod audit;
pub mod callers;
pub mod config;
pub mod exchange;
mod refusal;
pub mod sealing;
pub mod stopping;

pub use app::{App, Settings};
pub use refusal::Refusal;

/// The SCIM base path below the public URL.
pub const SCIM_PREFIX: &str = "/scim/v2";
