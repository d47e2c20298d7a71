//! The time a server goes by: read off a reference now and then (the database's clock, or the
//! system's), carried on by a clock that nobody sets, and never less than it was.

use chrono::{DateTime, TimeDelta, Utc};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Instant;

/// A reference that goes back by no more than this is followed: then time stands still until it has
/// caught up. What goes back further is not known to be right.
const SMALL: TimeDelta = TimeDelta::seconds(5);

/// Time in microseconds since 1970.
#[derive(Debug)]
pub(crate) struct KeptTime {
    anchor: Instant,
    /// The time at the anchor, by the reference.
    at_anchor: AtomicI64,
    /// The latest time that was given, or that the log has.
    latest: AtomicI64,
    /// Whether the reference was read: what was given out before does not count.
    is_settled: AtomicBool,
}

impl KeptTime {
    /// Begins with a time that counts until the reference is read.
    pub fn new(anchor: Instant, reference: DateTime<Utc>) -> Self {
        let at_anchor = AtomicI64::new(reference.timestamp_micros());
        let (latest, is_settled) = (AtomicI64::new(i64::MIN), AtomicBool::new(false));
        Self { anchor, at_anchor, latest, is_settled }
    }

    /// The time, once so much has passed since the anchor.
    pub fn at(&self, now: Instant) -> i64 {
        let passed = now.saturating_duration_since(self.anchor).as_micros();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        let by_reference = self.at_anchor.load(Ordering::SeqCst).saturating_add(passed);
        self.latest.fetch_max(by_reference, Ordering::SeqCst).max(by_reference)
    }

    /// Reads the reference again. Gives how far it is from the time that is given out.
    pub fn follow(&self, now: Instant, reference: DateTime<Utc>) -> TimeDelta {
        let passed = now.saturating_duration_since(self.anchor);
        let passed = TimeDelta::from_std(passed).unwrap_or_default();
        let known = self.at_anchor.load(Ordering::SeqCst);
        let given = DateTime::from_timestamp_micros(known).unwrap_or_default() + passed;
        let is_first = !self.is_settled.swap(true, Ordering::SeqCst);
        if is_first {
            self.latest.store(i64::MIN, Ordering::SeqCst);
        } else {
            // Whoever asked right before may have been given this.
            self.no_less_than(given);
        }
        if is_first || given - reference <= SMALL {
            self.at_anchor.store((reference - passed).timestamp_micros(), Ordering::SeqCst);
        }
        reference - DateTime::from_timestamp_micros(self.at(now)).unwrap_or_default()
    }

    /// Goes back to the reference: the time that was given out until now was wrong.
    pub fn turn_back(&self, now: Instant, reference: DateTime<Utc>) {
        let passed = now.saturating_duration_since(self.anchor);
        let at_anchor = reference - TimeDelta::from_std(passed).unwrap_or_default();
        self.at_anchor.store(at_anchor.timestamp_micros(), Ordering::SeqCst);
        self.latest.store(i64::MIN, Ordering::SeqCst);
    }

    /// The log has this time: none that is given out is less.
    pub fn no_less_than(&self, time: DateTime<Utc>) {
        self.latest.fetch_max(time.timestamp_micros(), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Whatever a reference does, time never goes back; a small step is followed, a large step
    /// ahead as well, and one that goes back far is told.
    #[test]
    fn time_never_goes_back() {
        let anchor = Instant::now();
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let at = |seconds: i64| start + TimeDelta::seconds(seconds);
        let kept = KeptTime::new(anchor, at(999_999));
        // Given out before anybody asked what time it is.
        assert_eq!(kept.at(anchor), at(999_999).timestamp_micros());
        let mut before = i64::MIN;
        // Seconds that passed, what the reference says then, what is given out, and how far the
        // reference is from it.
        for (passed, reference, given, apart) in [
            (0, 0, 0, 0),
            (10, 10, 10, 0),
            (11, 9, 11, -2),
            (12, 10, 11, -1),
            (14, 12, 12, 0),
            (20, 3_618, 3_618, 0),
            (30, 28, 3_628, -3_600),
            (40, 38, 3_638, -3_600),
            (50, 3_650, 3_650, 0),
        ] {
            let now = anchor + Duration::from_secs(passed);
            let far = kept.follow(now, at(reference));
            let time = kept.at(now);
            assert!(time >= before, "after {passed} s");
            before = time;
            let told = DateTime::from_timestamp_micros(time).unwrap();
            assert_eq!((told, far.num_seconds()), (at(given), apart), "after {passed} s");
        }
        let now = anchor + Duration::from_secs(50);
        kept.turn_back(now, at(48));
        assert_eq!(kept.at(now), at(48).timestamp_micros());
        assert_eq!(kept.follow(now, at(48)).num_seconds(), 0);
        kept.no_less_than(at(10_000));
        assert_eq!(kept.at(anchor + Duration::from_secs(51)), at(10_000).timestamp_micros());
    }
}
