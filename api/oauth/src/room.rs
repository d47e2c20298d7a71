//! What the requests of all clients share.

use crate::keys::KeyCache;
use crate::limits::Limits;
use rollcall_door::App;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// So many requests are read at a time; each is short, and all are of strangers so far.
const BODIES: usize = 64;

/// The door of OAuth.
pub struct Oauth {
    /// The application behind it.
    pub(crate) app: Arc<App>,
    /// Keys of those who sign assertions.
    pub(crate) keys: KeyCache,
    /// Limits per client.
    pub(crate) limits: Limits,
    /// One permit for each request that is being read.
    pub(crate) bodies: Semaphore,
}

impl Oauth {
    /// Opens it.
    pub fn new(app: Arc<App>) -> Self {
        let limited = app.config.rate_limit > 0;
        Self {
            keys: KeyCache::new(app.outbound.clone()),
            limits: if limited { Limits::new() } else { Limits::off() },
            bodies: Semaphore::new(BODIES),
            app,
        }
    }
}
