//! What an append means: a pure function of what the stream holds.

use uuid::Uuid;

/// What the writer expects of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Nothing.
    Any,
    /// That it has events.
    Exists,
    /// That it has none.
    NoStream,
    /// That its last event has this revision.
    Revision(u64),
}

/// What the stream holds.
pub(crate) struct Stream<'a> {
    /// The ids of its events; the first has revision 0.
    pub ids: &'a [Uuid],
    /// How many of its last events count as recently committed.
    pub recent: usize,
    /// Deleted, and may be begun again.
    pub deleted: bool,
    /// Deleted for ever.
    pub tombstoned: bool,
}

/// What becomes of the append.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is written behind the last event.
    Write,
    /// It was written before; its last event has this revision.
    Already(u64),
    /// The stream is not where the writer expects it, but here.
    Wrong(Option<u64>),
    /// The stream was tombstoned.
    Tombstoned,
}

/// Decides an append of events with these ids.
pub(crate) fn decide(stream: &Stream<'_>, expected: Expected, ids: &[Uuid]) -> Verdict {
    let current = (stream.ids.len() as u64).checked_sub(1);
    if stream.tombstoned {
        return Verdict::Tombstoned;
    }
    match expected {
        Expected::Exists if current.is_none() || stream.deleted => Verdict::Wrong(current),
        Expected::Any | Expected::Exists => {
            known(stream, ids).map_or(Verdict::Write, Verdict::Already)
        }
        Expected::NoStream if stream.deleted => Verdict::Write,
        Expected::NoStream => at(stream, current, None, ids),
        Expected::Revision(revision) => at(stream, current, Some(revision), ids),
    }
}

/// A writer who names no revision repeats what was committed lately, if it is all there in order.
fn known(stream: &Stream<'_>, ids: &[Uuid]) -> Option<u64> {
    let from = stream.ids.len().saturating_sub(stream.recent);
    let first = from + stream.ids[from..].iter().position(|id| Some(id) == ids.first())?;
    let there = stream.ids[first..].get(..ids.len())?;
    (there == ids).then(|| (first + ids.len() - 1) as u64)
}

fn at(stream: &Stream<'_>, current: Option<u64>, expected: Option<u64>, ids: &[Uuid]) -> Verdict {
    // At the current revision everything is written, also ids that are there already.
    if expected == current {
        return Verdict::Write;
    }
    if expected > current || ids.is_empty() {
        return Verdict::Wrong(current);
    }
    let next = expected.map_or(0, |revision| revision as usize + 1);
    match stream.ids[next..].get(..ids.len()) {
        Some(there) if there == ids => Verdict::Already((next + ids.len() - 1) as u64),
        _ => Verdict::Wrong(current),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<Uuid> {
        text.bytes().map(|b| Uuid::from_u128(b.into())).collect()
    }

    fn check(there: &str, expected: Expected, sent: &str, verdict: Verdict) {
        let there = ids(there);
        let stream = Stream { ids: &there, recent: 3, deleted: false, tombstoned: false };
        assert_eq!(decide(&stream, expected, &ids(sent)), verdict, "{expected:?} {sent}");
    }

    #[test]
    fn without_a_revision_what_is_recent_is_known() {
        check("abcd", Expected::Any, "cd", Verdict::Already(3));
        check("abcd", Expected::Exists, "bc", Verdict::Already(2));
        check("abcd", Expected::Any, "ab", Verdict::Write); // No longer recent.
        check("abcd", Expected::Any, "ce", Verdict::Write);
        check("abcd", Expected::Any, "de", Verdict::Write);
        check("", Expected::Any, "a", Verdict::Write);
        check("", Expected::Exists, "a", Verdict::Wrong(None));
    }

    #[test]
    fn below_the_current_revision_only_a_repetition_passes() {
        check("abcd", Expected::Revision(0), "bc", Verdict::Already(2));
        check("abcd", Expected::NoStream, "a", Verdict::Already(0));
        check("abcd", Expected::Revision(0), "xb", Verdict::Wrong(Some(3)));
        check("abcd", Expected::Revision(0), "bx", Verdict::Wrong(Some(3)));
        check("abcd", Expected::Revision(2), "dx", Verdict::Wrong(Some(3)));
        check("abcd", Expected::NoStream, "b", Verdict::Wrong(Some(3)));
    }

    #[test]
    fn at_the_current_revision_everything_is_written() {
        check("abcd", Expected::Revision(3), "d", Verdict::Write);
        check("", Expected::NoStream, "a", Verdict::Write);
    }

    #[test]
    fn above_the_current_revision_nothing_is() {
        check("abcd", Expected::Revision(4), "e", Verdict::Wrong(Some(3)));
        check("", Expected::Revision(0), "a", Verdict::Wrong(None));
    }
}
