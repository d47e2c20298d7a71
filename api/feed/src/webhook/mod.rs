//! Events that are posted to whoever wants them: signed as Standard Webhooks has it, in the envelope
//! of CloudEvents, one after another.

mod deliver;
mod envelope;
mod letters;
mod outcome;
mod parking;
mod ping;
mod poke;
mod post;
mod postman;
mod schedule;
mod signing;
mod telling;

pub use crate::sealed::about;
pub use letters::source;
pub use ping::{NoReceiver, ping, verify};
pub use post::{Letter, NotPosted, Post, Posted};
pub use postman::{DeliveryError, Postman};
pub use signing::{SECRET_PREFIX, shown};
