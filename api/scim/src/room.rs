//! What the requests of all SCIM clients share.

use crate::known_tokens::KnownTokens;
use rollcall_domain::ids::OrganizationId;
use rollcall_door::App;
use rollcall_door::exchange::RateLimit;
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The unit in which room for bodies is given out; what is shorter needs none.
pub(crate) const BODY_SHARE: u64 = 64 * 1024;
/// So many bytes of large bodies are worked on at a time.
const ROOM_BYTES: u64 = 128 * 1024 * 1024;

/// Writes with a token that was one once: so many are kept a minute, and at once. Enough for a job
/// that nobody told of its new token, and too little to fill a disk.
const ENDED: (NonZeroU32, NonZeroU32) =
    (NonZeroU32::new(6).unwrap(), NonZeroU32::new(200).unwrap());

/// The door of SCIM.
pub struct Scim {
    /// The application behind it.
    pub(crate) app: Arc<App>,
    /// Tokens looked up lately, if this process owns the store.
    pub(crate) known_tokens: Option<KnownTokens>,
    /// Limit per token.
    pub(crate) rate: RateLimit,
    /// Limit per organization on what is kept of writes with a token that was one once.
    pub(crate) ended: RateLimit<OrganizationId>,
    /// One permit for each [`BODY_SHARE`] of the large bodies under way.
    pub(crate) body_room: Semaphore,
    /// Bodies of strangers that are read at a time.
    pub(crate) stranger_bodies: Semaphore,
}

impl Scim {
    /// Opens it.
    pub fn new(app: Arc<App>) -> Self {
        let config = &app.config;
        let shares = ROOM_BYTES.max(config.max_body_bytes) / BODY_SHARE;
        Self {
            known_tokens: (!app.shared).then(KnownTokens::default),
            rate: RateLimit::new(config.rate_limit, config.rate_burst),
            ended: match config.rate_limit {
                0 => RateLimit::new(0, 0),
                _ => RateLimit::per_minute(ENDED.0, ENDED.1),
            },
            body_room: Semaphore::new(usize::try_from(shares).unwrap_or(Semaphore::MAX_PERMITS)),
            stranger_bodies: Semaphore::new((config.max_in_flight / 8).clamp(1, 64)),
            app,
        }
    }
}
