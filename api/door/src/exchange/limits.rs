//! A limit on requests per token, so that one tenant's storm does not drown the others.

use super::keep::turn_away;
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use rollcall_domain::exchange::Protocol;
use rollcall_domain::ids::TokenId;
use std::hash::Hash;
use std::num::NonZeroU32;

/// Requests per second and token; Entra's gallery asks for at least 25.
pub struct RateLimit<K: Hash + Eq + Clone = TokenId>(Option<DefaultKeyedRateLimiter<K>>);

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// So many per second, so many at once. Zero per second means no limit.
    pub fn new(per_second: u32, burst: u32) -> Self {
        let quota = |rate: NonZeroU32| {
            Quota::per_second(rate).allow_burst(NonZeroU32::new(burst).unwrap_or(rate))
        };
        Self(NonZeroU32::new(per_second).map(|rate| RateLimiter::keyed(quota(rate))))
    }

    /// One a minute.
    pub fn once_a_minute() -> Self {
        Self(Some(RateLimiter::keyed(Quota::per_minute(NonZeroU32::MIN))))
    }

    /// Whether a request may pass now.
    pub fn admits(&self, key: K) -> bool {
        self.0.as_ref().is_none_or(|limiter| limiter.check_key(&key).is_ok())
    }
}

/// Requests of strangers that are kept per second, and at once: somebody who knows no token must
/// not be able to fill the disk.
const STRANGERS: (NonZeroU32, NonZeroU32) =
    (NonZeroU32::new(50).unwrap(), NonZeroU32::new(2_000).unwrap());

/// A limit on requests whose token is not known, of all callers together.
pub struct StrangerLimit(Option<DefaultDirectRateLimiter>);

impl Default for StrangerLimit {
    fn default() -> Self {
        Self(Some(RateLimiter::direct(Quota::per_second(STRANGERS.0).allow_burst(STRANGERS.1))))
    }
}

impl StrangerLimit {
    /// None: where time is simulated, a limit by the real time would make the outcome random.
    pub fn off() -> Self {
        Self(None)
    }

    /// Whether one more may be kept now. One too many is counted.
    pub fn admits(&self, protocol: Protocol) -> bool {
        let admitted = self.0.as_ref().is_none_or(|limiter| limiter.check().is_ok());
        if !admitted {
            turn_away(protocol);
        }
        admitted
    }
}
