//! Appending to streams.
//!
//! Batch sessions are used even for a single append: an ordinary one takes 44 ms, for the client
//! leaves Nagle's delay on. A session says little about what went wrong, and its answer may be
//! lost; so whatever is not plainly done is looked for in the stream.

use crate::connection::{Connection, Fault};
use eventstore::{BatchAppendOptions, Error, EventData, ExpectedRevision};
use rollcall_domain::log::LogError;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// Bytes in one append, data and metadata. Servers took 1 MiB for years.
pub(crate) const APPEND_BYTES: usize = 900_000;

/// What became of an append with an expected revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is in the stream; the last of its events has this revision.
    Done(u64),
    /// Something else stands where it was to stand.
    Lost,
}

/// An event that is to be appended.
#[derive(Clone, Debug)]
pub(crate) struct Proposed {
    pub id: Uuid,
    pub data: EventData,
}

fn is_wrong_version(error: &Error) -> bool {
    match error {
        Error::WrongExpectedVersion { .. } => true,
        Error::Grpc { message, .. } => message.contains("WrongExpectedVersion"),
        _ => false,
    }
}

/// A refusal that repeating does not change.
fn refusal(error: &Error, stream: &str) -> Option<LogError> {
    let told = match error {
        Error::AccessDenied => "AccessDenied",
        Error::Grpc { message, .. } => message.as_str(),
        _ => return None,
    };
    if told.contains("AccessDenied") {
        return Some(Fault::Denied.about(stream));
    }
    if told.contains("StreamDeleted") {
        return Some(Fault::Deleted.about(stream));
    }
    if told.contains("MaximumAppendSizeExceeded") {
        let why = format!(
            "stream {stream}: the server takes less than {APPEND_BYTES} bytes in one append"
        );
        return Some(LogError::Unavailable(why));
    }
    None
}

impl Connection {
    /// Sends one append and waits for its answer, which is the last revision.
    async fn send(
        &self,
        stream: &str,
        expected: ExpectedRevision,
        events: &[Proposed],
    ) -> Result<u64, Error> {
        let data: Vec<EventData> = events.iter().map(|event| event.data.clone()).collect();
        let sent = async {
            let (session, number) = match self.idle() {
                Some(idle) => idle,
                None => {
                    let (client, number) = self.client();
                    let made = client
                        .batch_append(&BatchAppendOptions::default().requires_leader(true))
                        .await;
                    (made.inspect_err(|e| self.noticed(e, number))?, number)
                }
            };
            // A session that gave an error is closed by the client, with all that was under way in
            // it: each serves one append at a time, and only those without an error are used again.
            let answer = session
                .append_to_stream(stream, expected, data)
                .await
                .inspect_err(|e| self.noticed(e, number))?;
            self.give_back(session, number);
            answer.current_revision().ok_or(Error::InternalClientError)
        };
        timeout(self.append_deadline, sent).await.unwrap_or(Err(Error::DeadlineExceeded))
    }

    /// Appends behind a revision, or to a stream that is not there yet.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] if it is not known what became of it.
    pub async fn append(
        &self,
        stream: &str,
        expected: Option<u64>,
        events: &[Proposed],
    ) -> Result<Outcome, LogError> {
        let (next, last) = (
            expected.map_or(0, |r| r + 1),
            expected.map_or(0, |r| r + 1) + events.len() as u64 - 1,
        );
        let wanted = expected.map_or(ExpectedRevision::NoStream, ExpectedRevision::Exact);
        let begun = Instant::now();
        let mut pause = Duration::from_millis(5);
        loop {
            let sent = {
                let _permit = self.appends.acquire().await;
                self.send(stream, wanted, events).await
            };
            let error = match sent {
                Ok(revision) if revision == last => return Ok(Outcome::Done(last)),
                Ok(revision) => {
                    return Err(LogError::Damaged(format!(
                        "stream {stream}: an append that ends at {last} was answered with {revision}"
                    )));
                }
                Err(error) => error,
            };
            // Whatever the error says: what stands in the stream decides. Repeated with the same
            // ids behind the same revision, an append that is there already stays there once.
            match self.event(stream, next).await? {
                Some(there) if events.first().is_some_and(|event| event.id == there.id) => {
                    return Ok(Outcome::Done(last));
                }
                Some(_) => return Ok(Outcome::Lost),
                None if is_wrong_version(&error) => return Ok(Outcome::Lost),
                None => {}
            }
            if let Some(refused) = refusal(&error, stream) {
                return Err(refused);
            }
            if begun.elapsed() > self.patience {
                return Err(Fault::of(&error).about(stream));
            }
            tracing::debug!(stream, %error, "an append is repeated");
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }

    /// Appends wherever the stream ends; gives the revision of the last event. What is repeated
    /// after a lost answer may stand there twice.
    pub async fn append_anywhere(
        &self,
        stream: &str,
        events: &[Proposed],
    ) -> Result<u64, LogError> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(5);
        loop {
            let sent = {
                let _permit = self.appends.acquire().await;
                self.send(stream, ExpectedRevision::Any, events).await
            };
            let error = match sent {
                Ok(revision) => return Ok(revision),
                Err(error) => error,
            };
            if let Some(refused) = refusal(&error, stream) {
                return Err(refused);
            }
            if begun.elapsed() > self.patience {
                return Err(Fault::of(&error).about(stream));
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }
}
