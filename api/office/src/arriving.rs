//! The body of a request as it comes in: nothing of it is read before somebody who is let in asks for it, and
//! whoever sends it has so long. What was read of JSON is kept for the exchange.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use futures::StreamExt as _;
use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// So long may JSON take to arrive, and so long each part of a file.
const PATIENCE: Duration = Duration::from_secs(30);
/// So much of JSON is kept; handlers take no more of it.
const KEPT_BYTES: usize = 2 * 1024 * 1024;

/// What was read so far.
#[derive(Clone, Default)]
pub struct Read(Arc<Mutex<Vec<u8>>>);

impl Read {
    /// All of it, at most 2 MiB.
    pub fn taken(self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }

    fn add(&self, chunk: &[u8]) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT_BYTES.saturating_sub(read.len()).min(chunk.len());
        read.extend_from_slice(&chunk[..room]);
    }
}

/// The same body with an end to patience. Files, which are not JSON and of any length, are not kept.
pub fn watched(headers: &HeaderMap, body: Body) -> (Body, Read) {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let media_type = media_type.unwrap_or_default().trim_start().to_ascii_lowercase();
    let is_json = media_type.starts_with("application/json");
    let read = Read::default();
    let begun: Option<Instant> = None;
    let state = (body.into_data_stream(), read.clone(), begun);
    let chunks = futures::stream::unfold(Some(state), move |state| async move {
        let (mut chunks, read, begun) = state?;
        let now = Instant::now();
        let begun = begun.unwrap_or(now);
        let until = if is_json { begun } else { now } + PATIENCE;
        match timeout_at(until, chunks.next()).await {
            Ok(None) => None,
            Ok(Some(Ok(chunk))) => {
                if is_json {
                    read.add(&chunk);
                }
                Some((Ok(chunk), Some((chunks, read, Some(begun)))))
            }
            Ok(Some(Err(error))) => Some((Err(Error::other(error)), None)),
            Err(_) => {
                let late = Error::new(ErrorKind::TimedOut, "the body did not arrive in time");
                Some((Err(late), None))
            }
        }
    });
    (Body::from_stream(chunks), read)
}
