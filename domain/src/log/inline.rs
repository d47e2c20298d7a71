//! Inline folding: the port through which a log moves views in the transaction of an append, so
//! that what was answered is there to be read without a second commit.
//!
//! A log does so only while the views stand right before what it appends. Whatever keeps it from
//! that, the append is committed all the same, and says that nothing was folded
//! ([`super::Appended::folded`]): then whoever appended folds on their own.

use crate::ids::OrganizationId;
use crate::record::{Position, Record};
use crate::sql::{SqlError, SqlRow, SqlTransaction};
use async_trait::async_trait;

/// Records that a log reads back, at most, for views that an earlier append had to leave behind.
/// What is further behind is not caught up while appends wait.
pub const CATCH_UP: u64 = 1_000;

/// What became of an offer to fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inline {
    /// The views hold these records.
    Folded,
    /// Nothing was written: the views stand at this position, and not right before the records.
    Behind(Position),
    /// Nothing was written: the views have stopped, are of another version, or cannot make
    /// anything of a record.
    Left,
}

/// Views that can be folded in somebody else's transaction.
#[async_trait]
pub trait InlineFold: Send + Sync + 'static {
    /// The query for where the views of an organization stand, whose rows [`Self::fold`] wants. It
    /// has no parameters, so that a log can ask it in one go with questions of its own.
    fn standing(&self, organization: OrganizationId) -> String;

    /// Folds an organization's next records, which are in the order of their positions and at least
    /// one, on top of where the views stand. `tx` reaches the tables of the views; the caller
    /// commits it or rolls it back, and sees to it that nobody else folds or replaces the views
    /// from before `standing` was read.
    ///
    /// # Errors
    /// If a statement fails. Then it is not known what was written, and the caller rolls back.
    async fn fold(
        &self,
        tx: &mut dyn SqlTransaction,
        standing: Vec<SqlRow>,
        organization: OrganizationId,
        records: &[Record],
    ) -> Result<Inline, SqlError>;
}

/// The records of a batch, organization by organization.
pub fn stretches(records: &mut [Record]) -> impl Iterator<Item = &[Record]> {
    // Stable: within an organization they stay in the order of their positions.
    records.sort_by_key(|record| record.stream.organization);
    records.chunk_by(|a, b| a.stream.organization == b.stream.organization)
}
