//! Why folding did not get where it was to.

use crate::checkpoint::StopReason;
use rollcall_domain::log::{LogError, Position};
use rollcall_domain::sql::{Family, SqlError};

/// Why views could not be moved forward.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// A record cannot be folded; the views stand before it.
    #[error("the {} views stopped at position {position}: {error}", family.as_str())]
    Stopped {
        /// Which views.
        family: Family,
        /// The record's position.
        position: Position,
        /// What is wrong with it.
        reason: StopReason,
        /// The same in words; never a payload.
        error: String,
    },
    /// The tables are of another version of Rollcall, and are being made anew.
    #[error("the {} views are being rebuilt after an upgrade: ask again later", family.as_str())]
    Outdated {
        /// Which views.
        family: Family,
    },
    /// The views know more than the log: the log was replaced by an older one. Rebuild.
    #[error("the views are at position {position}, but the log ends at {head}: rebuild the views")]
    Ahead {
        /// Where the views are.
        position: Position,
        /// Where the log ends.
        head: Position,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The views cannot be read or written.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

impl FoldError {
    /// True if asking again later may help without anybody doing anything.
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self,
            FoldError::Outdated { .. }
                | FoldError::Log(LogError::Unavailable(_) | LogError::Closed(_))
                | FoldError::Sql(SqlError::Unavailable(_))
        )
    }
}
