//! The way out: consumers follow the log of an organization, and can prove that they missed
//! nothing.
//!
//! The log is the authority: a page is read from it by position, and its positions are 1, 2, 3...
//! without a gap. What a filter leaves out is bridged by `previous`, the position of the event
//! before under the same filter.

mod chain;
mod feed;
mod limits;
mod place;
mod reading;
mod room;
mod snapshot;
pub mod webhook;

pub use reading::{Page, ReadError, Reader, read};
pub use room::Feed;

use axum::extract::FromRef;
use rollcall_domain::exchange::Protocol;
use rollcall_door::App;
use rollcall_door::exchange::operation;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What consumers ask, below `/api/v1`.
pub fn routes<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<App>: FromRef<S>,
    Arc<Feed>: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(operation(Protocol::Feed, "feed.read", routes!(feed::read)))
        .routes(operation(Protocol::Feed, "feed.snapshot", routes!(snapshot::read)))
        .routes(operation(Protocol::Feed, "feed.place", routes!(place::keep)))
}
