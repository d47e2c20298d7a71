//! Wrong keys at the administration: counted, slowed by source, and said aloud.

use super::Source;
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::Duration;

/// Wrong keys of one source a second, and at once; more are answered 429.
const WRONG: (NonZeroU32, NonZeroU32) =
    (NonZeroU32::new(5).unwrap(), NonZeroU32::new(200).unwrap());
/// Sources that are told apart; more are forgotten if they were quiet.
const SOURCES: usize = 10_000;
/// How often it is said in the log of the process that somebody guesses.
const ALARM: Duration = Duration::from_secs(60);

/// The limit.
pub struct WrongKeys(Option<Limits>);

struct Limits {
    of_source: DefaultKeyedRateLimiter<Source>,
    alarm: DefaultDirectRateLimiter,
}

impl WrongKeys {
    /// None, if it is not to be limited: where time is simulated, a limit by the real time would
    /// make the outcome random.
    pub fn new(limited: bool) -> Self {
        let alarm = Quota::with_period(ALARM).filter(|_| limited);
        Self(alarm.map(|alarm| Limits {
            of_source: RateLimiter::keyed(Quota::per_second(WRONG.0).allow_burst(WRONG.1)),
            alarm: RateLimiter::direct(alarm),
        }))
    }

    /// Counts a wrong key. Whether it may be answered as such; if not, somebody guesses.
    pub fn admits(&self, source: Source) -> bool {
        metrics::counter!("rollcall_wrong_keys_total").increment(1);
        let Some(limits) = &self.0 else { return true };
        if limits.of_source.len() > SOURCES {
            limits.of_source.retain_recent();
        }
        let admitted = limits.of_source.check_key(&source).is_ok();
        if !admitted && limits.alarm.check().is_ok() {
            tracing::warn!(%source, "somebody guesses keys of the administration");
        }
        admitted
    }
}
