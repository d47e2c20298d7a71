//! The way out: consumers follow the log of an organization, and can prove that they missed
//! nothing.
//!
//! The log is the authority: a page is read from it by position, and its positions are 1, 2, 3...
//! without a gap. What a filter leaves out is bridged by `previous`, the position of the event
//! before under the same filter.

mod chain;
mod crowd;
mod feed;
mod limits;
mod place;
mod poll;
mod reading;
mod room;
mod sealed;
pub mod security;
mod snapshot;
mod transmitter;
pub mod webhook;

pub use reading::{Page, ReadError, Reader, read};
pub use room::Feed;
pub use transmitter::configuration;

use axum::extract::FromRef;
use rollcall_door::App;
use std::sync::Arc;
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

/// What consumers ask, below `/api/v1`: each route with the name of its exchanges.
pub fn routes<S>() -> [(&'static str, UtoipaMethodRouter<S>); 5]
where
    S: Clone + Send + Sync + 'static,
    Arc<App>: FromRef<S>,
    Arc<Feed>: FromRef<S>,
{
    [
        ("feed.read", routes!(feed::read)),
        ("feed.snapshot", routes!(snapshot::read)),
        ("feed.place", routes!(place::keep)),
        ("feed.poll", routes!(poll::poll)),
        ("feed.keys", routes!(transmitter::keys)),
    ]
}
