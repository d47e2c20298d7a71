//! One page of a log: what is folded together.

use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, Record, RecordedExchange};
use std::sync::Arc;

/// What is to be folded in one transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    /// Whose log it is.
    pub organization: OrganizationId,
    /// Records, in order.
    pub records: &'a [Record],
    /// Exchanges, in order; all that they caused is in `records` or before.
    pub exchanges: &'a [Arc<RecordedExchange>],
}

impl<'a> Page<'a> {
    /// The records of one kind of aggregate.
    pub fn of(self, kind: AggregateKind) -> impl Iterator<Item = &'a Record> {
        self.records.iter().filter(move |record| record.stream.kind == kind)
    }
}
