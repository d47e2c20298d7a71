//! Why the log could not be written or read.

use super::identity::Closed;
use crate::claim::ClaimKind;
use crate::record::{StreamId, Version};

/// Why an append was refused. Nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Somebody else appended to the stream first.
    #[error("lost race on {stream}: expected version {expected}, found {actual}")]
    LostRace {
        /// The stream.
        stream: StreamId,
        /// What the writer expected.
        expected: Version,
        /// What was there.
        actual: Version,
    },
    /// Another stream holds a claim that is to be taken.
    #[error("the {} is held by {holder}", kind.as_str())]
    ClaimTaken {
        /// What it is about.
        kind: ClaimKind,
        /// Who holds it.
        holder: StreamId,
    },
    /// Nobody holds a claim that was needed.
    #[error("needed claim {index} is not held")]
    ReferenceMissing {
        /// Index into [`ClaimChanges::require`].
        index: usize,
    },
    /// The store is away, full or shutting down. It is not known whether the append happened;
    /// appending the same exchange again tells.
    #[error("the log cannot be reached: {0}")]
    Unavailable(String),
    /// The log is not the one that was known: nothing is appended to it.
    #[error(transparent)]
    Closed(Closed),
}

/// Why the log could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The store is away; asking again later may help.
    #[error("the log cannot be reached: {0}")]
    Unavailable(String),
    /// The store holds something that cannot be.
    #[error("the log is damaged: {0}")]
    Damaged(String),
    /// The log is not the one that was known: nothing is answered by it.
    #[error(transparent)]
    Closed(Closed),
}
