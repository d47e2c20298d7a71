//! What is told of a log that an operator let count as it is.

use crate::ids::OrganizationId;
use crate::log::{ExchangeNumber, Position};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most characters of a reason.
pub const BECAUSE_CHARACTERS: usize = 1_000;

/// An operator let the log count as it is, although it was not the one that was known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogAccepted {
    /// Why, in the operator's words.
    pub because: String,
    /// What had been noticed, as [`Closed::as_str`](crate::log::Closed::as_str) has it.
    pub noticed: String,
    /// The epoch of the log that was known, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_epoch: Option<Uuid>,
    /// The epoch of the log that was accepted.
    pub epoch: Uuid,
    /// The epoch it has from now on.
    pub next_epoch: Uuid,
    /// Organizations of which more was known than the log holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<LostTail>,
}

/// How much of an organization's log is not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostTail {
    /// Whose log.
    pub organization: OrganizationId,
    /// The last position that was known.
    pub known_position: Position,
    /// The number of the last exchange that was known.
    pub known_exchange: ExchangeNumber,
    /// The last position that is there.
    pub position: Position,
    /// The number of the last exchange that is there.
    pub exchange: ExchangeNumber,
}
