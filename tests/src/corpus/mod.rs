//! The recorded requests of Entra ID and the player that sends them.
//!
//! `corpus/entra-requests.jsonl` holds one request a line: what Entra sends in five scenarios, with
//! facts about the answer. State is cumulative: the lines are sent in order to an empty tenant.

pub mod fact;
pub mod player;
