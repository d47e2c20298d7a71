//! The entry of a record.

use super::{Header, Of, Writer, entry};
use crate::record::{Record, StreamId};
use sha2::{Digest, Sha256};

/// The bytes that stand for a record in the ledger. Its payload is hashed as it is stored.
///
/// Metadata: kind and id of the aggregate, version in its stream, type and version of the event,
/// instant, exchange (may be absent), actor.
pub fn record_entry(record: &Record) -> Vec<u8> {
    let Record {
        position,
        stream,
        version,
        event_type,
        event_version,
        payload,
        recorded_at,
        exchange,
        actor,
    } = record;
    let StreamId { organization, kind, id } = *stream;
    let mut metadata = Writer::default();
    metadata.text(kind.as_str());
    metadata.id(id);
    metadata.number(*version);
    metadata.text(event_type);
    metadata.text(event_version);
    metadata.instant(*recorded_at);
    metadata.maybe(exchange.map(|exchange| exchange.0), Writer::id);
    metadata.actor(actor);
    entry(
        Header { organization, of: Of::Record(*position) },
        metadata,
        &[Sha256::digest(payload).into()],
    )
}
