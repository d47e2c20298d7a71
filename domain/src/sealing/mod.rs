//! What sealing needs to know of events: where personal values stand in a payload. How something is
//! sealed is an adapter's business, and the keys lie beside the log ([`crate::log::KeyRing`]).

mod marks;

pub use marks::{Malformed, Unsealed, marks, rewrite, rewrite_at, unmarked};
