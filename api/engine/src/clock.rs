//! The one place of the server that reads the clock.

use crate::kept_time::KeptTime;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

/// A source of time. The real one outside tests; a replay brings its own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>, Option<Arc<KeptTime>>);

/// How far clocks are from each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Skew {
    /// The system's clock, from the database's; none where there is no database with a clock.
    pub database: Option<TimeDelta>,
    /// The clock that is gone by, from the time that was given out or recorded last: less than zero
    /// if it went back.
    pub log: TimeDelta,
}

impl Skew {
    /// What is more is an alarm.
    pub const MOST: TimeDelta = TimeDelta::seconds(5);

    /// The larger of both.
    pub fn most(&self) -> TimeDelta {
        let database = self.database.unwrap_or_default();
        if database.abs() > self.log.abs() { database } else { self.log }
    }

    /// The larger of both, in seconds.
    pub fn seconds(&self) -> f64 {
        self.most().as_seconds_f64()
    }

    /// Whether it is more than it may be.
    pub fn is_alarming(&self) -> bool {
        self.log.abs() > Self::MOST || self.database.is_some_and(|skew| skew.abs() > Self::MOST)
    }
}

impl Clock {
    /// The system's clock.
    #[expect(clippy::disallowed_methods, reason = "this is the place that hands out the time")]
    pub fn system() -> Self {
        Self(Arc::new(Utc::now), None)
    }

    /// A clock that is carried on by itself between two looks at a reference ([`Self::follow`]), and
    /// never goes back. It begins with the system's.
    #[expect(clippy::disallowed_methods, reason = "this is the place that hands out the time")]
    pub fn kept() -> Self {
        let kept = Arc::new(KeptTime::new(Instant::now(), Utc::now()));
        let read = kept.clone();
        let now =
            move || DateTime::from_timestamp_micros(read.at(Instant::now())).unwrap_or_default();
        Self(Arc::new(now), Some(kept))
    }

    /// Looks at the reference: the clock of the database, as it was in the middle of asking it, or
    /// the system's. Gives how far clocks are apart.
    #[expect(clippy::disallowed_methods, reason = "this is the place that hands out the time")]
    pub fn follow(&self, database: Option<DateTime<Utc>>) -> Skew {
        let system = Utc::now();
        let Some(kept) = &self.1 else { return Skew::default() };
        let log = kept.follow(Instant::now(), database.unwrap_or(system));
        Skew { database: database.map(|database| system - database), log }
    }

    /// Goes back to the reference, which is so far from the time that is given out.
    pub fn turn_back(&self, by: TimeDelta) {
        if let Some(kept) = &self.1 {
            let now = Instant::now();
            let given = DateTime::from_timestamp_micros(kept.at(now)).unwrap_or_default();
            kept.turn_back(now, given + by);
        }
    }

    /// The log has this time: none that is given out is less.
    pub fn no_less_than(&self, time: DateTime<Utc>) {
        if let Some(kept) = &self.1 {
            kept.no_less_than(time);
        }
    }

    /// A clock that follows a function.
    pub fn from_fn(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now), None)
    }

    /// A clock that stands still until its hand is moved.
    pub fn by_hand(start: DateTime<Utc>) -> (Self, ClockHand) {
        let hand = ClockHand(Arc::new(AtomicI64::new(start.timestamp_micros())));
        let read = hand.clone();
        (Self::from_fn(move || read.at()), hand)
    }

    /// The present instant in whole milliseconds: what SCIM shows is then what the log holds.
    pub fn now(&self) -> DateTime<Utc> {
        (self.0)().trunc_subsecs(3)
    }
}

/// The hand of a clock that somebody else moves.
#[derive(Clone, Debug)]
pub struct ClockHand(Arc<AtomicI64>);

impl ClockHand {
    /// Sets the clock, in whole microseconds.
    pub fn set(&self, now: DateTime<Utc>) {
        self.0.store(now.timestamp_micros(), Ordering::SeqCst);
    }

    /// What it shows.
    pub fn at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
