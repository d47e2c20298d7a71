//! `/api/v1`: the administration, and the audit of what was asked, answered, done and seen.

pub mod admin;
mod arriving;
pub mod attention;
pub mod audit;
mod declared;
mod entry;
pub mod ledgers;
pub mod letter;
mod problem;
mod provisioning_log;
mod trail;

pub use entry::{entry, nothing, operation};

use axum::extract::FromRef;
use rollcall_domain::exchange::Protocol;
use rollcall_door::App;
use rollcall_feed::Feed;
use rollcall_sign_on::{SignOn, sessions};
use std::sync::Arc;
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;

/// The office: what its routes share.
#[derive(Clone)]
pub struct Office {
    app: Arc<App>,
    sign_on: Arc<SignOn>,
    feed: Arc<Feed>,
    replaying: Replaying,
    ledgers: ledgers::Ledgers,
}

/// One permit: a replay takes a processor to itself.
#[derive(Clone)]
pub(crate) struct Replaying(pub(crate) Arc<Semaphore>);

impl Office {
    /// Opens it.
    pub fn new(sign_on: Arc<SignOn>, feed: Arc<Feed>) -> Self {
        Self {
            app: sign_on.app.clone(),
            sign_on,
            feed,
            replaying: Replaying(Arc::new(Semaphore::new(1))),
            ledgers: ledgers::Ledgers::default(),
        }
    }
}

impl FromRef<Office> for Arc<App> {
    fn from_ref(office: &Office) -> Self {
        office.app.clone()
    }
}

impl FromRef<Office> for Arc<SignOn> {
    fn from_ref(office: &Office) -> Self {
        office.sign_on.clone()
    }
}

impl FromRef<Office> for Arc<Feed> {
    fn from_ref(office: &Office) -> Self {
        office.feed.clone()
    }
}

impl FromRef<Office> for Replaying {
    fn from_ref(office: &Office) -> Self {
        office.replaying.clone()
    }
}

impl FromRef<Office> for ledgers::Ledgers {
    fn from_ref(office: &Office) -> Self {
        office.ledgers.clone()
    }
}

/// All routes of `/api/v1`, and the tiles of the ledgers beside it.
pub fn routes() -> OpenApiRouter<Office> {
    OpenApiRouter::new()
        .merge(admin::routes())
        .merge(audit::routes())
        .merge(feed())
        .merge(session())
        .merge(audit::tiles())
}

fn feed() -> OpenApiRouter<Office> {
    rollcall_feed::routes().into_iter().fold(OpenApiRouter::new(), |all, (name, routes)| {
        all.routes(operation(Protocol::Feed, name, routes))
    })
}

fn session() -> OpenApiRouter<Office> {
    OpenApiRouter::new().routes(operation(Protocol::Session, "session.show", sessions::route()))
}
