//! How far a stream is folded.

use rollcall_domain::log::*;
use uuid::Uuid;

/// How far a stream is folded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Folded {
    /// The last revision and its event's id; none before the first event.
    pub last: Option<(u64, Uuid)>,
    /// The ends of the log up to there.
    pub head: Head,
}

impl Folded {
    /// The last revision.
    pub fn revision(&self) -> Option<u64> {
        self.last.map(|(revision, _)| revision)
    }

    /// The revision of the event that follows.
    pub fn next(&self) -> u64 {
        self.last.map_or(0, |(revision, _)| revision + 1)
    }
}
