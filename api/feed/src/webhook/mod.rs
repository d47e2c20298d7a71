//! Events that are posted to whoever wants them: signed as Standard Webhooks has it, in the envelope
//! of CloudEvents, one after another.

mod deliver;
mod envelope;
mod ping;
mod post;
mod schedule;
mod signing;

pub use crate::sealed::about;
pub use deliver::{DeliveryError, Postman, source};
pub use ping::{NoReceiver, ping, verify};
pub use post::{Letter, NotPosted, Post, Posted};
pub use signing::{SECRET_PREFIX, shown};
