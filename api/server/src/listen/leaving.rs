//! The requests of one connection that are being answered.

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use rollcall_door::strangers::Place;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;

/// What was answered just now may still be on its way to the client.
const LINGER: Duration = Duration::from_secs(1);

/// Counts the requests under way: each holds a receiver.
#[derive(Clone, Default)]
pub struct UnderWay(Arc<watch::Sender<()>>);

/// One request under way, from its head to the end of its answer.
pub struct One {
    _held: watch::Receiver<()>,
    place: Place,
}

impl Drop for One {
    fn drop(&mut self) {
        self.place.ends();
    }
}

impl UnderWay {
    /// One more.
    pub fn one(&self, place: &Place) -> One {
        place.begins();
        One { _held: self.0.subscribe(), place: place.clone() }
    }

    /// Waits until requests are overdue that have not come in whole, and none is being answered:
    /// what holds the connection then is half a head.
    pub async fn none_but_overdue(&self, mut overdue: watch::Receiver<bool>) {
        // An error says that the server has ended, and every connection with it.
        let _ = overdue.wait_for(|late| *late).await;
        self.0.closed().await;
        tokio::time::sleep(LINGER).await;
    }
}

/// The body of an answer, which keeps its request under way.
pub struct Leaving {
    body: Body,
    _request: One,
}

impl Leaving {
    /// The body of the answer to this request.
    pub fn new(body: Body, request: One) -> Self {
        Self { body, _request: request }
    }
}

impl hyper::body::Body for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
