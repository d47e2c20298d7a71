//! Replay over HTTP: lines of JSON, as they come.

mod apply;
mod dry_run;
pub(super) mod request;
mod verify;

use crate::Office;
use crate::entry::operation;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use rollcall_domain::exchange::Protocol;
use rollcall_replay::Lines;
use tokio::sync::OwnedSemaphorePermit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of the replay.
pub fn routes() -> OpenApiRouter<Office> {
    OpenApiRouter::new()
        .routes(operation(Protocol::Audit, "replay.verify", routes!(verify::verify)))
        .routes(operation(Protocol::Audit, "replay.dry-run", routes!(dry_run::dry_run)))
        .routes(operation(Protocol::Administration, "replay.apply", routes!(apply::apply)))
}

/// The answer: one line each, the last one is a summary or says what went wrong.
fn answer(lines: Lines, permit: OwnedSemaphorePermit) -> Response<Body> {
    let stream = futures::stream::unfold((lines, permit), |(mut lines, permit)| async move {
        let line = lines.recv().await?;
        let bytes = serde_json::to_vec(&line).map(|mut bytes| {
            bytes.push(b'\n');
            Bytes::from(bytes)
        });
        Some((bytes.map_err(std::io::Error::other), (lines, permit)))
    });
    let mut response = Response::new(Body::from_stream(stream));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response
}
