//! A limit on requests per token, so that one tenant's storm does not drown the others.

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use rollcall_domain::ids::TokenId;
use std::hash::Hash;
use std::num::NonZeroU32;

/// Keys that are told apart.
const KEPT: usize = 10_000;

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

    /// So many a minute, so many at once.
    pub fn per_minute(rate: NonZeroU32, burst: NonZeroU32) -> Self {
        Self(Some(RateLimiter::keyed(Quota::per_minute(rate).allow_burst(burst))))
    }

    /// Whether a request may pass now.
    pub fn admits(&self, key: K) -> bool {
        let Some(limiter) = &self.0 else { return true };
        // Anybody may bring a key of their own: what was quiet is forgotten.
        if limiter.len() > KEPT {
            limiter.retain_recent();
        }
        limiter.check_key(&key).is_ok()
    }
}
