//! Why a replay breaks off.

use rollcall_domain::log::{AppendError, LogError};
use rollcall_door::Refusal;
use rollcall_projections::fold::FoldError;

/// Why a replay broke off.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log that is forked cannot be read, or the scratch log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The scratch log refuses a recorded record.
    #[error("a recorded event cannot be put into the fork: {0}")]
    Append(#[from] AppendError),
    /// A recorded record cannot be folded.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The scratch store is broken.
    #[error("the scratch store cannot be used: {0}")]
    Scratch(String),
    /// Nobody reads the answer any more.
    #[error("nobody reads the answer any more")]
    Unheard,
}

impl From<ReplayError> for Refusal {
    fn from(error: ReplayError) -> Self {
        Self::unavailable(&error)
    }
}
