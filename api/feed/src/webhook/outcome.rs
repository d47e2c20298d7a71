//! What an attempt came to.

use super::post::{NotPosted, Posted};
use super::schedule::retry_after;
use chrono::{DateTime, TimeDelta, Utc};

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken,
    /// The receiver wants no more.
    Gone,
    /// It was not taken: why, as a stable name, and the pause that the receiver asked for.
    Failed(String, Option<TimeDelta>),
}

impl Outcome {
    /// Of an answer, or of none.
    pub fn of(answer: Result<Posted, NotPosted>, now: DateTime<Utc>) -> Self {
        match answer {
            Ok(Posted { status: 200..=299, .. }) => Outcome::Taken,
            Ok(Posted { status: 410, .. }) => Outcome::Gone,
            Ok(Posted { status, retry_after: value }) => {
                let asked = value.filter(|_| matches!(status, 429 | 503));
                let asked = asked.and_then(|value| retry_after(&value, now));
                Outcome::Failed(format!("status-{status}"), asked)
            }
            Err(not_posted) => Outcome::Failed(not_posted.as_str().to_owned(), None),
        }
    }

    /// The name by which attempts are counted.
    pub fn counted(&self) -> &'static str {
        match self {
            Outcome::Taken => "delivered",
            Outcome::Gone => "gone",
            Outcome::Failed(..) => "failed",
        }
    }
}
