//! Limits on requests for tokens (E-13 of how Entra authenticates: a limit, never a lock-out).

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use rollcall_domain::ids::CredentialId;
use std::num::NonZeroU32;
use std::time::Duration;

/// Requests of one client per second, and at once.
const REQUESTS: (NonZeroU32, NonZeroU32) =
    (NonZeroU32::new(10).unwrap(), NonZeroU32::new(50).unwrap());
/// Wrong secrets and assertions for one client: so many at once, and one more each half minute, so
/// 20 in ten minutes.
const WRONG: (Duration, NonZeroU32) = (Duration::from_secs(30), NonZeroU32::new(20).unwrap());

/// Limits for each client that is there. Who has the right secret is served whatever others
/// guessed: to be kept out by guesses would be a way to break a customer's sync.
pub struct Limits(
    Option<(DefaultKeyedRateLimiter<CredentialId>, DefaultKeyedRateLimiter<CredentialId>)>,
);

impl Limits {
    /// As they are.
    pub fn new() -> Self {
        let requests = Quota::per_second(REQUESTS.0).allow_burst(REQUESTS.1);
        let wrong = Quota::with_period(WRONG.0).map(|quota| quota.allow_burst(WRONG.1));
        Self(wrong.map(|wrong| (RateLimiter::keyed(requests), RateLimiter::keyed(wrong))))
    }

    /// None: where time is simulated, limits by the real time would make the outcome random.
    pub fn off() -> Self {
        Self(None)
    }

    /// Whether a client may ask for one more token now.
    pub fn admits(&self, client: CredentialId) -> bool {
        self.0.as_ref().is_none_or(|(requests, _)| requests.check_key(&client).is_ok())
    }

    /// Whether one more wrong attempt is answered as such.
    pub fn admits_wrong(&self, client: CredentialId) -> bool {
        self.0.as_ref().is_none_or(|(_, wrong)| wrong.check_key(&client).is_ok())
    }
}
