//! What is sealed for a consumer.

use rollcall_domain::ids::ConsumerId;

/// What a sealed secret is bound to: its consumer, and its number there.
pub fn about(consumer: ConsumerId, number: u64) -> String {
    format!("consumer {consumer} secret {number}")
}
