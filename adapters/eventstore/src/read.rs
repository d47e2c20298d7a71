//! Reading streams.

use crate::connection::{Connection, Fault};
use eventstore::{Client, Error, ReadStreamOptions, RecordedEvent, StreamPosition};
use rollcall_domain::log::LogError;
use std::time::Duration;

/// Events that are asked for at once.
pub(crate) const PAGE: u64 = 500;
/// Time for one page.
const LIMIT: Duration = Duration::from_secs(30);
/// Revisions between two wanted ones that are rather read than left out.
const GAP: u64 = 24;

async fn once(
    client: Client,
    stream: &str,
    options: &ReadStreamOptions,
) -> Result<Vec<RecordedEvent>, Error> {
    let mut read = client.read_stream(stream, options).await?;
    let mut events = Vec::new();
    while let Some(event) = read.next().await? {
        // Never with links resolved: what stands in the stream is what counts.
        events.extend(event.link.or(event.event));
    }
    Ok(events)
}

impl Connection {
    async fn events(
        &self,
        stream: &str,
        options: ReadStreamOptions,
        limit: Duration,
    ) -> Result<Option<Vec<RecordedEvent>>, Fault> {
        // What is decided on must come from the leader.
        let options = &options.requires_leader(true).deadline(limit);
        let _permit = self.reads.acquire().await;
        match self.call(limit, |client| once(client, stream, options)).await {
            Ok(events) => Ok(Some(events)),
            Err(Fault::Missing) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// At most `count` events of a stream from a revision on; none if there is no such stream.
    pub async fn page(
        &self,
        stream: &str,
        from: u64,
        count: u64,
    ) -> Result<Option<Vec<RecordedEvent>>, LogError> {
        let options = ReadStreamOptions::default()
            .position(StreamPosition::Position(from))
            .max_count(count as usize);
        self.events(stream, options, LIMIT).await.map_err(|fault| fault.about(stream))
    }

    /// The event at a revision, if it is there.
    pub async fn event(
        &self,
        stream: &str,
        revision: u64,
    ) -> Result<Option<RecordedEvent>, LogError> {
        let found = self.page(stream, revision, 1).await?.unwrap_or_default();
        Ok(found.into_iter().find(|event| event.revision == revision))
    }

    /// The last event of a stream, if it has any, within a time.
    pub async fn last(
        &self,
        stream: &str,
        limit: Duration,
    ) -> Result<Option<RecordedEvent>, LogError> {
        let options = ReadStreamOptions::default().position(StreamPosition::End).max_count(1);
        let found =
            self.events(stream, options, limit).await.map_err(|fault| fault.about(stream))?;
        Ok(found.unwrap_or_default().pop())
    }

    /// The events at these revisions, which rise.
    ///
    /// # Errors
    /// [`LogError::Damaged`] if one is not there.
    pub async fn at(
        &self,
        stream: &str,
        revisions: &[u64],
    ) -> Result<Vec<RecordedEvent>, LogError> {
        let mut found = Vec::with_capacity(revisions.len());
        let mut rest = revisions;
        while let Some((&first, _)) = rest.split_first() {
            let (mut last, mut taken) = (first, 1);
            while let Some(&next) = rest.get(taken)
                && next - last <= GAP
                && next - first < PAGE
            {
                (last, taken) = (next, taken + 1);
            }
            let (wanted, behind) = rest.split_at(taken);
            let page = self.page(stream, first, last - first + 1).await?.unwrap_or_default();
            let before = found.len();
            found.extend(
                page.into_iter().filter(|event| wanted.binary_search(&event.revision).is_ok()),
            );
            if found.len() - before != wanted.len() {
                return Err(LogError::Damaged(format!(
                    "stream {stream}: events from revision {first} to {last} are missing"
                )));
            }
            rest = behind;
        }
        Ok(found)
    }
}
