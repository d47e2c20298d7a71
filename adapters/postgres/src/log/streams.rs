//! Streams of aggregates, loaded through postgres-es.
//!
//! What is its: the statement, the order by sequence, the shape of an event. What is ours: the
//! envelope, which comes along as the event's metadata; the payload's own text, which comes along
//! as one JSON string, for a payload that was parsed would come back reordered; a time limit,
//! another try on another connection, and the proof that nothing is missing. Whole pages are read,
//! never its `ReplayStream`, which ends early and in silence when a connection is lost.

use super::codec;
use cqrs_es::persist::{PersistedEventRepository as _, PersistenceError, SerializedEvent};
use postgres_es::PostgresEventRepository;
use rollcall_domain::consumer::Consumer;
use rollcall_domain::deployment::Deployment;
use rollcall_domain::group::Group;
use rollcall_domain::ids::ExchangeId;
use rollcall_domain::log::{AggregateKind, Position, Record, StreamId, Version};
use rollcall_domain::organization::Organization;
use rollcall_domain::user::User;
use serde::Deserialize;
use serde_json::Value;
use sqlx::postgres::PgPool;

/// What postgres-es takes for its table of events.
const EVENTS: &str = "(SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, \
     to_json(payload::text) AS payload, json_build_object('position', position, \
     'recorded_at', recorded_at, 'exchange', exchange, 'actor', actor) AS metadata \
     FROM rollcall.events) AS streams";
/// postgres-es keeps snapshots that were made from events applied twice: there is no such table.
pub(crate) const NO_SNAPSHOTS: &str = "rollcall.no_snapshots";
/// postgres-es writes the sequence into the statement, and each text is prepared anew. So a tail is
/// asked for from a round sequence on, and a stream of a hundred thousand events makes a few
/// hundred statements at most.
const ROUND: Version = 256;

/// The envelope beside an event.
#[derive(Deserialize)]
struct Envelope {
    position: Position,
    /// Microseconds since 1970.
    recorded_at: i64,
    exchange: Option<ExchangeId>,
    /// An actor's JSON text.
    actor: String,
}

/// Reads streams from one pool.
pub(super) struct Streams(PostgresEventRepository);

impl Streams {
    pub fn new(pool: PgPool) -> Self {
        Self(PostgresEventRepository::new(pool).with_tables(EVENTS, NO_SNAPSHOTS))
    }

    /// The events of one stream after a version, in order, all of them. An error says why they
    /// could not be had, or that one of them is missing.
    pub async fn load(&self, stream: &StreamId, after: Version) -> sqlx::Result<Vec<Record>> {
        let events = match stream.kind {
            AggregateKind::User => self.events::<User>(stream, after).await,
            AggregateKind::Group => self.events::<Group>(stream, after).await,
            AggregateKind::Organization => self.events::<Organization>(stream, after).await,
            AggregateKind::Deployment => self.events::<Deployment>(stream, after).await,
            AggregateKind::Consumer => self.events::<Consumer>(stream, after).await,
        };
        let mut records = Vec::new();
        for event in events.map_err(reason)? {
            let record = record(*stream, event)?;
            if record.version <= after {
                continue;
            }
            let expected = after + 1 + records.len() as u64;
            if record.version != expected {
                return Err(codec::odd(format!("version {expected} of {stream} is missing")));
            }
            records.push(record);
        }
        Ok(records)
    }

    async fn events<A: cqrs_es::Aggregate>(
        &self,
        stream: &StreamId,
        after: Version,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let id = stream.aggregate_id();
        match usize::try_from(after - after % ROUND) {
            Ok(0) => self.0.get_events::<A>(&id).await,
            Ok(round) => self.0.get_last_events::<A>(&id, round).await,
            // More than a sequence can be: nothing stands behind it.
            Err(_) => Ok(Vec::new()),
        }
    }
}

fn record(stream: StreamId, event: SerializedEvent) -> sqlx::Result<Record> {
    let Value::String(payload) = event.payload else {
        return Err(codec::odd("a payload came without its text"));
    };
    let envelope: Envelope = serde_json::from_value(event.metadata).map_err(codec::odd)?;
    Ok(Record {
        position: envelope.position,
        stream,
        version: event.sequence as Version,
        event_type: event.event_type,
        event_version: event.event_version,
        payload,
        recorded_at: codec::instant(envelope.recorded_at)?,
        exchange: envelope.exchange,
        actor: serde_json::from_str(&envelope.actor).map_err(codec::odd)?,
    })
}

/// What sqlx had said before cqrs-es put it into words of its own.
fn reason(error: PersistenceError) -> sqlx::Error {
    match error {
        PersistenceError::OptimisticLockError => codec::odd("a read lost a race"),
        PersistenceError::ConnectionError(cause)
        | PersistenceError::DeserializationError(cause)
        | PersistenceError::UnknownError(cause) => {
            cause.downcast::<sqlx::Error>().map_or_else(sqlx::Error::Decode, |error| *error)
        }
    }
}
