//! The body of a request as it comes in.

use axum::BoxError;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use rollcall_door::stopping::Stopping;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::watch;

/// A body that breaks off when it is overdue.
pub struct Arriving {
    body: Incoming,
    overdue: watch::Receiver<bool>,
    /// Made when something has to be waited for, which is seldom.
    waiting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Arriving {
    /// A body that is overdue once the watch says so.
    pub fn new(body: Incoming, overdue: watch::Receiver<bool>) -> Self {
        Self { body, overdue, waiting: None }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let overdue = &this.overdue;
        let waiting = this.waiting.get_or_insert_with(|| Box::pin(late(overdue.clone())));
        ready!(waiting.as_mut().poll(cx));
        this.waiting = None;
        Poll::Ready(Some(Err(Stopping.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

async fn late(mut overdue: watch::Receiver<bool>) {
    if overdue.wait_for(|late| *late).await.is_err() {
        // Nobody will say so any more.
        std::future::pending().await
    }
}
