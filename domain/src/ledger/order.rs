//! The order of the leaves: records and exchanges as they were committed.

use crate::record::Position;
use std::iter::Peekable;

/// Merges an organization's records, by position, and its exchanges, by number, into the order of
/// their commit: an exchange stands behind the last record that was there when it was appended.
///
/// A record is given as its position, an exchange as the position after which it stands. Where an
/// exchange says that it stands before one that has a lower number, the numbers count.
pub fn in_order_of_commit<T>(
    records: impl IntoIterator<Item = (Position, T)>,
    exchanges: impl IntoIterator<Item = (Position, T)>,
) -> impl Iterator<Item = T> {
    InOrder { records: records.into_iter().peekable(), exchanges: exchanges.into_iter().peekable() }
}

struct InOrder<R: Iterator, X: Iterator> {
    records: Peekable<R>,
    exchanges: Peekable<X>,
}

impl<T, R, X> Iterator for InOrder<R, X>
where
    R: Iterator<Item = (Position, T)>,
    X: Iterator<Item = (Position, T)>,
{
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let after = self.exchanges.peek().map(|(after, _)| *after);
        let record = self.records.next_if(|(position, _)| after.is_none_or(|at| *position <= at));
        record.or_else(|| self.exchanges.next()).map(|(_, item)| item)
    }
}
