//! Which runs are asked for.

use super::row::RunRow;
use crate::exchanges::Start;
use rollcall_domain::run::RunKind;

/// Which runs to list. Everything left out does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// What they were.
    pub kind: Option<RunKind>,
    /// Only those with failures.
    pub failed: bool,
    /// Only those that changed something.
    pub changed: bool,
    /// Where to begin, by the number of the first exchange, and in which direction.
    pub from: Start,
}

impl RunFilter {
    /// Whether a run is one of them, wherever it begins.
    pub(super) fn takes(&self, run: &RunRow) -> bool {
        self.kind.is_none_or(|kind| run.kind == kind)
            && (!self.failed || run.failures > 0)
            && (!self.changed || run.changes > 0)
    }
}
