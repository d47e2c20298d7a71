//! Requests of ours to addresses that somebody typed in: metadata of identity providers, keys of
//! those who sign assertions, receivers of webhooks. Each address that a name has is looked at before anything is sent,
//! and the connection goes to one of those that were looked at.
//!
//! No state and no settings of its own: who asks brings a [`Guard`] and [`Bounds`].

mod address;
mod fetch;
mod fetch_error;
mod guard;
mod reach;

pub use fetch::{Bounds, fetch};
pub use fetch_error::FetchError;
pub use guard::{Guard, NetError, Verdict};
pub use reach::reach;
