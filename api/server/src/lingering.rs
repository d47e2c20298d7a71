//! Answers that come before a body is read whole, such as one that is too long: what is still on its
//! way is read and forgotten for a while. A connection that is closed on bytes nobody has read is
//! reset, and then the client may never see the answer (RFC 9112 section 9.6).

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Semaphore;

/// More of a body is not waited for.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// Longer than this nobody is waited for.
const MOST_TIME: Duration = Duration::from_secs(3);
/// So many bodies are read to be forgotten at a time; others are given up at once.
static ROOM: Semaphore = Semaphore::const_new(64);

/// Gives each request a body that is read on once nobody wants it any more.
pub async fn lingering(request: Request, next: Next) -> Response {
    // Who waits to be asked for a body has not sent it.
    let asks_first = request.headers().contains_key(header::EXPECT);
    if asks_first || request.body().is_end_stream() {
        return next.run(request).await;
    }
    next.run(request.map(|body| Body::new(Lingering(body)))).await
}

struct Lingering(Body);

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if self.0.is_end_stream() {
            return;
        }
        let Ok(room) = ROOM.try_acquire() else { return };
        let mut rest = std::mem::take(&mut self.0);
        tokio::spawn(async move {
            let read = async {
                let mut left = MOST_BYTES;
                while let Some(Ok(frame)) = rest.frame().await {
                    let bytes = frame.data_ref().map_or(0, Bytes::len);
                    match left.checked_sub(bytes) {
                        Some(less) => left = less,
                        None => return,
                    }
                }
            };
            // Whether it ended is nobody's business any more.
            let _ = tokio::time::timeout(MOST_TIME, read).await;
            drop(room);
        });
    }
}
