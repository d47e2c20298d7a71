//! Assertions as JSON Web Tokens (RFC 7519) in compact form (RFC 7515), and the sets of keys that
//! sign them (RFC 7517): read with limits, and checked by OpenSSL. What an assertion must say is
//! the domain's to judge; no state and no clock here. Beside them, what we sign ourselves.

mod jws;
mod keys;
mod object;
mod signing;

pub use jws::{Assertion, MAX_BYTES, Malformed};
pub use keys::{KeySet, KeySetError, MAX_KEYS};
pub use signing::{SigningError, SigningKey};
