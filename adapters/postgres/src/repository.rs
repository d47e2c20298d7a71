//! The streams as cqrs-es wants them: postgres-es reads, our append writes.

use crate::event_metadata::{METADATA_ACTOR, METADATA_EXCHANGE, METADATA_RECORDED_AT};
use crate::log::PostgresLog;
use crate::log::streams::NO_SNAPSHOTS;
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use cqrs_es::persist::{
    PersistedEventRepository, PersistenceError, ReplayStream, SerializedEvent, SerializedSnapshot,
};
use postgres_es::PostgresEventRepository;
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::ClaimChanges;
use rollcall_domain::ids::ExchangeId;
use rollcall_domain::log::{
    AggregateKind, Append, AppendError, Log as _, NewEvent, StreamId, Version, Write,
};
use serde_json::Value;

/// A repository for `cqrs_es::persist::PersistedEventStore`, on the tables of [`PostgresLog`].
///
/// It takes no claims and keeps no snapshots; a store made with `new_event_store` needs none.
pub struct Repository {
    log: PostgresLog,
    inner: PostgresEventRepository,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl PostgresLog {
    /// The streams as cqrs-es wants them.
    pub fn repository(&self) -> Repository {
        let inner =
            PostgresEventRepository::new(self.pool()).with_tables("rollcall.events", NO_SNAPSHOTS);
        Repository { log: self.clone(), inner }
    }
}

impl PersistedEventRepository for Repository {
    async fn get_events<A: Aggregate>(
        &self,
        aggregate_id: &str,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        self.inner.get_events::<A>(aggregate_id).await
    }

    async fn get_last_events<A: Aggregate>(
        &self,
        aggregate_id: &str,
        last_sequence: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        // Not asked of postgres-es, which writes the number into the statement and so makes a
        // prepared statement of every number there is.
        let mut events = self.inner.get_events::<A>(aggregate_id).await?;
        events.retain(|event| event.sequence > last_sequence);
        Ok(events)
    }

    async fn get_snapshot<A: Aggregate>(
        &self,
        _aggregate_id: &str,
    ) -> Result<Option<SerializedSnapshot>, PersistenceError> {
        Ok(None)
    }

    async fn persist<A: Aggregate>(
        &self,
        events: &[SerializedEvent],
        snapshot_update: Option<(String, Value, usize)>,
    ) -> Result<(), PersistenceError> {
        if snapshot_update.is_some() {
            return Err(unknown("snapshots are not kept through cqrs-es"));
        }
        let Some(first) = events.first() else { return Ok(()) };
        let write = write::<A>(first, events).map_err(PersistenceError::UnknownError)?;
        let append =
            Append { organization: write.stream.organization, write: Some(write), exchange: None };
        match self.log.append(append).await {
            Ok(_) => Ok(()),
            Err(AppendError::LostRace { .. }) => Err(PersistenceError::OptimisticLockError),
            Err(e @ AppendError::Unavailable(_)) => {
                Err(PersistenceError::ConnectionError(e.into()))
            }
            Err(e) => Err(PersistenceError::UnknownError(e.into())),
        }
    }

    async fn stream_events<A: Aggregate>(
        &self,
        aggregate_id: &str,
    ) -> Result<ReplayStream, PersistenceError> {
        // Read before it is handed out: the stream of postgres-es ends early, and in silence, when
        // its connection is lost.
        let events = self.inner.get_events::<A>(aggregate_id).await?;
        let (mut feed, stream) = ReplayStream::new(events.len().max(1));
        for event in events {
            feed.push(Ok(event)).await?;
        }
        Ok(stream)
    }

    async fn stream_all_events<A: Aggregate>(&self) -> Result<ReplayStream, PersistenceError> {
        Err(unknown("all events of a kind have no order: page through Log::records"))
    }
}

fn unknown(why: &'static str) -> PersistenceError {
    PersistenceError::UnknownError(why.into())
}

fn write<A: Aggregate>(
    first: &SerializedEvent,
    events: &[SerializedEvent],
) -> Result<Write, Failure> {
    let kind = AggregateKind::parse(A::TYPE).ok_or("unknown kind of aggregate")?;
    let stream = StreamId::from_aggregate_id(kind, &first.aggregate_id)
        .ok_or("the aggregate id is not organization/id")?;
    for (event, sequence) in events.iter().zip(first.sequence..) {
        if event.sequence != sequence || event.aggregate_id != first.aggregate_id {
            return Err("the events are not one run of one stream".into());
        }
    }
    let metadata = |key| first.metadata.get(key).and_then(Value::as_str);
    let recorded_at = metadata(METADATA_RECORDED_AT).ok_or("the metadata do not say when")?;
    Ok(Write {
        stream,
        expected: first.sequence.checked_sub(1).ok_or("sequences start at one")? as Version,
        events: events.iter().map(new_event).collect(),
        claims: ClaimChanges { release: Vec::new(), take: Vec::new(), require: Vec::new() },
        recorded_at: DateTime::parse_from_rfc3339(recorded_at)?.with_timezone(&Utc),
        actor: metadata(METADATA_ACTOR)
            .map(serde_json::from_str)
            .transpose()?
            .unwrap_or(Actor::System),
        cause: metadata(METADATA_EXCHANGE).map(str::parse::<ExchangeId>).transpose()?,
    })
}

fn new_event(event: &SerializedEvent) -> NewEvent {
    NewEvent {
        event_type: event.event_type.clone(),
        event_version: event.event_version.clone(),
        payload: event.payload.to_string(),
    }
}
