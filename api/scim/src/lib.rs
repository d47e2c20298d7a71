//! SCIM 2.0 over HTTP (RFC 7644): from a request to an exchange, a command, an answer.
//!
//! [`entry`] opens the exchange and closes it whatever happens in between; [`route`] names the
//! operation; one file per operation does it.

mod authenticate;
mod bulk;
mod call;

mod create;
mod delete;
mod discovery;
mod dispatch;
mod encoding;
mod entry;
mod facts;
mod failure;
mod known_tokens;
mod list;
mod patch;
mod path;
mod perform;
mod query;
mod read;
mod replace;
mod reply;
mod rerun;
mod resource;
mod room;
mod route;
mod write;

pub use entry::{entry, is_scim, is_strayed, refused};
pub use rerun::{Rerun, rerun};
pub use room::Scim;

/// The media type of every answer (RFC 7644 section 8.1).
pub const MEDIA_TYPE: &str = "application/scim+json";
