//! Serving a request to its end.

use axum::body::Body;
use axum::http::Response;
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

/// Serves one request to its end, also when the client goes away in the middle.
pub async fn to_the_end(
    serve: impl Future<Output = Response<Body>> + Send + 'static,
) -> Response<Body> {
    tokio::spawn(serve.in_current_span()).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request ended without an answer");
        Response::builder()
            .status(503)
            .header("retry-after", "30")
            .body(Body::empty())
            .unwrap_or_default()
    })
}

/// Room for one more request of somebody who is known; none, and counted, where as many are under
/// way as this server takes at once. Strangers have room of their own.
pub fn room(in_flight: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    let room = in_flight.clone().try_acquire_owned().ok();
    if room.is_none() {
        metrics::counter!("rollcall_overload_total").increment(1);
    }
    room
}

/// The outcome of what a door does, or none if it panicked: that is our own trouble, and is
/// answered and kept like everything else.
pub async fn guarded<T>(work: impl Future<Output = T>) -> Option<T> {
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    outcome.inspect_err(|_| metrics::counter!("rollcall_panics_total").increment(1)).ok()
}
