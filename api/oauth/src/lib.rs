//! OAuth 2.0 for clients that have a credential (RFC 6749 section 4.4): a token endpoint, and the
//! metadata that leads to it (RFC 8414, RFC 9728).
//!
//! [`entry`] opens the exchange and closes it whatever happens in between. `client.rs` finds out
//! who asks, by a secret or by an assertion, and `face.rs` says what whom gets: another kind of
//! client (a consumer of the log, a receiver of signals) is another line there.

mod assertion;
mod client;
mod endpoint;
mod entry;
mod face;
mod form;
mod keys;
mod limits;
mod metadata;
mod refusal;
mod reply;
mod room;
mod secret;
mod token;

pub use endpoint::is_oauth;
pub use entry::entry;
pub use room::Oauth;
