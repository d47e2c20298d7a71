//! The line between Entra and the server: how long it takes, and what goes wrong on it.

use super::{Answer, Request, Transport, TransportError};
use crate::time::Time;
use async_trait::async_trait;
use chrono::Duration;
use std::ops::Range;
use std::sync::Arc;

/// What goes wrong, each with a probability for one request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// The request is delivered, the answer dropped.
    pub lost_answers: f64,
    /// The request is not delivered, and nothing comes back.
    pub timeouts: f64,
    /// The request is delivered twice; the second answer counts.
    pub duplicates: f64,
    /// A mapping sends a value that no server can take. For one object, not one request.
    pub bad_values: f64,
}

impl Faults {
    /// Every fault, each with this probability.
    pub fn all(probability: f64) -> Self {
        Self {
            lost_answers: probability,
            timeouts: probability,
            duplicates: probability,
            bad_values: probability,
        }
    }
}

/// How long a request that gets no answer is waited for.
const PATIENCE: Duration = Duration::seconds(100);

/// A transport behind a line.
pub struct Line {
    inner: Arc<dyn Transport>,
    time: Arc<dyn Time>,
    faults: Faults,
    latency: Option<Range<u32>>,
}

impl Line {
    /// A line with these faults that takes no time of its own.
    pub fn new(inner: Arc<dyn Transport>, time: Arc<dyn Time>, faults: Faults) -> Self {
        Self { inner, time, faults, latency: None }
    }

    /// The same line, where a request and its answer take so many milliseconds together.
    pub fn taking(self, milliseconds: Range<u32>) -> Self {
        Self { latency: Some(milliseconds), ..self }
    }

    async fn travel(&self, milliseconds: u32) {
        self.time
            .sleep_until(self.time.now() + Duration::milliseconds(i64::from(milliseconds)))
            .await;
    }

    async fn deliver(&self, request: &Request) -> Result<Answer, TransportError> {
        let there = self.latency.clone().map(|range| request.luck.rng("latency", 0).u32(range));
        if let Some(there) = there {
            self.travel(there / 2).await;
        }
        let arrived = Request { at: self.time.now(), ..request.clone() };
        let answer = self.inner.send(&arrived).await;
        if let Some(there) = there {
            self.travel(there - there / 2).await;
        }
        answer
    }
}

#[async_trait]
impl Transport for Line {
    async fn send(&self, request: &Request) -> Result<Answer, TransportError> {
        let happens = |what, probability| request.luck.chance(what, 0, probability);
        if happens("timeout", self.faults.timeouts) {
            self.time.sleep_until(self.time.now() + PATIENCE).await;
            return Err(TransportError::TimedOut);
        }
        let mut answer = self.deliver(request).await?;
        if happens("duplicate", self.faults.duplicates) {
            let first = std::mem::take(&mut answer.exchanges);
            answer = self.deliver(request).await?;
            answer.exchanges.splice(0..0, first);
        }
        if happens("lost", self.faults.lost_answers) {
            self.time.sleep_until(self.time.now() + PATIENCE).await;
            return Err(TransportError::AnswerLost { exchanges: answer.exchanges });
        }
        Ok(answer)
    }
}
