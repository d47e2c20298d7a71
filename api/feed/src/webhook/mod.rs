//! Events that are posted to whoever wants them: signed as Standard Webhooks has it, in the envelope
//! of CloudEvents, one after another.

mod deliver;
mod envelope;
mod ping;
mod post;
mod schedule;
mod signing;

pub use deliver::{DeliveryError, Postman, source};
pub use ping::ping;
pub use post::{Letter, NotPosted, Post, Posted};
pub use signing::{SECRET_PREFIX, shown};

use rollcall_domain::ids::ConsumerId;

/// What a sealed secret is bound to: its consumer, and its number there.
pub fn about(consumer: ConsumerId, number: u64) -> String {
    format!("consumer {consumer} secret {number}")
}
