//! A limit on requests per token, so that one tenant's storm does not drown the others.

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use rollcall_domain::ids::TokenId;
use std::num::NonZeroU32;

/// Requests per second and token; Entra's gallery asks for at least 25.
pub struct RateLimit(Option<DefaultKeyedRateLimiter<TokenId>>);

impl RateLimit {
    /// So many per second, so many at once. Zero per second means no limit.
    pub fn new(per_second: u32, burst: u32) -> Self {
        let quota = |rate: NonZeroU32| Quota::per_second(rate).allow_burst(NonZeroU32::new(burst).unwrap_or(rate));
        Self(NonZeroU32::new(per_second).map(|rate| RateLimiter::keyed(quota(rate))))
    }

    /// Whether a request may pass now.
    pub fn admits(&self, token: TokenId) -> bool {
        self.0.as_ref().is_none_or(|limiter| limiter.check_key(&token).is_ok())
    }
}
