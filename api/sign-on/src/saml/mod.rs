//! SAML 2.0 over HTTP: from a browser's visit to an exchange, a login event, a session.
//!
//! [`entry`] opens the exchange and closes it whatever happens in between; one file per endpoint
//! does the rest. Reading and verifying messages is `rollcall-saml`; who it is, and whether they
//! may come in, is decided by the domain.

mod acs;
pub mod addresses;
mod admit;
mod again;
mod call;
pub mod connection;
mod entry;
pub mod login;
mod logout;
mod metadata;
mod origin;
mod page;
pub mod refresh;
mod reply;
pub mod seals;
mod signed_in;
mod visit;

pub use entry::entry;

use connection::Providers;
use refresh::Failures;
use rollcall_domain::ids::OrganizationId;
use rollcall_door::App;
use rollcall_door::exchange::RateLimit;
use rollcall_door::strangers::Source;
use rollcall_outbound::Guard;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The door of single sign-on: what its endpoints share.
pub struct SignOn {
    /// The application behind it.
    pub app: Arc<App>,
    /// Service providers put together lately.
    pub providers: Providers,
    /// Limit on visits of an organization, from each source.
    pub visits: RateLimit<(OrganizationId, Source)>,
    /// Limit on fetches because of a key that is not known.
    pub refetches: RateLimit<OrganizationId>,
    /// What the last fetch of metadata by this process failed of.
    pub failures: Failures,
    /// One permit for each message that is being read.
    pub turns: Semaphore,
    /// Where metadata may be fetched.
    pub guard: Guard,
}

impl SignOn {
    /// Opens it.
    pub fn new(app: Arc<App>) -> Self {
        let config = &app.config;
        Self {
            providers: Providers::default(),
            visits: RateLimit::new(config.rate_limit, config.rate_burst),
            refetches: RateLimit::once_a_minute(),
            failures: Failures::default(),
            turns: Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)),
            guard: match config.allow_private_metadata {
                true => app.outbound.clone().and_everywhere(),
                false => app.outbound.clone(),
            },
            app,
        }
    }
}
