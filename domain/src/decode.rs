//! From a stored record to the typed event of one aggregate, through the upcasters. Which
//! aggregates there are is not known here: [`crate::event`] stands above them.

use crate::log::Record;
use crate::upcast::upcasters;
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use serde_json::Value;

/// Why a record cannot be understood. Never holds a payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Neither the type nor an upcaster for the version is known.
    #[error(
        "event {event_type} version {event_version} at position {position} is not known to this version of Rollcall"
    )]
    Unknown {
        /// The type found.
        event_type: String,
        /// The version found.
        event_version: String,
        /// Where.
        position: u64,
    },
    /// The payload has not the shape of its type.
    #[error(
        "the payload of {event_type} version {event_version} at position {position} cannot be read: {category} at column {column}"
    )]
    Payload {
        /// The type found.
        event_type: String,
        /// The version found.
        event_version: String,
        /// Where.
        position: u64,
        /// What kind of error, without data.
        category: String,
        /// Where in the payload.
        column: usize,
    },
}

/// The events of one aggregate, by name. Implemented where they are declared.
pub trait Declared: cqrs_es::DomainEvent {
    /// Whether an event of this name can be read.
    fn is_declared(event_type: &str) -> bool;
}

/// Reads a record as an event of one aggregate.
pub fn decode<E: Declared>(record: &Record) -> Result<E, DecodeError> {
    decode_with(record, &upcasters())
}

fn decode_with<E: Declared>(
    record: &Record,
    upcasters: &[Box<dyn EventUpcaster>],
) -> Result<E, DecodeError> {
    if !E::is_declared(&record.event_type) {
        return Err(unknown(record));
    }
    let old = upcasters.iter().any(|u| u.can_upcast(&record.event_type, &record.event_version));
    let event: E = if old {
        upcast(record, upcasters)?
    } else {
        parse(record, serde_json::from_str(&record.payload))?
    };
    if event.event_type() != record.event_type
        || (!old && event.event_version() != record.event_version)
    {
        return Err(unknown(record));
    }
    Ok(event)
}

fn upcast<E: Declared>(
    record: &Record,
    upcasters: &[Box<dyn EventUpcaster>],
) -> Result<E, DecodeError> {
    let payload: Value = parse(record, serde_json::from_str(&record.payload))?;
    let mut event = SerializedEvent::new(
        record.stream.aggregate_id(),
        usize::try_from(record.version).unwrap_or(usize::MAX),
        record.stream.kind.as_str().to_owned(),
        record.event_type.clone(),
        record.event_version.clone(),
        payload,
        Value::Null,
    );
    for upcaster in upcasters {
        if upcaster.can_upcast(&event.event_type, &event.event_version) {
            event = upcaster.upcast(event);
        }
    }
    parse(record, serde_json::from_value(event.payload))
}

fn parse<T>(record: &Record, result: Result<T, serde_json::Error>) -> Result<T, DecodeError> {
    // The message may hold data, so it is not kept.
    result.map_err(|e| DecodeError::Payload {
        event_type: record.event_type.clone(),
        event_version: record.event_version.clone(),
        position: record.position,
        category: format!("{:?}", e.classify()),
        column: e.column(),
    })
}

fn unknown(record: &Record) -> DecodeError {
    DecodeError::Unknown {
        event_type: record.event_type.clone(),
        event_version: record.event_version.clone(),
        position: record.position,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Actor;
    use crate::event::DomainEvent;
    use crate::group::GroupEvent;
    use crate::ids::OrganizationId;
    use crate::log::{AggregateKind, StreamId};
    use chrono::DateTime;
    use serde_json::json;
    use uuid::Uuid;

    fn record(event_type: &str, event_version: &str, payload: Value) -> Record {
        Record {
            position: 7,
            stream: StreamId {
                organization: OrganizationId::NONE,
                kind: AggregateKind::Group,
                id: Uuid::nil(),
            },
            version: 1,
            event_type: event_type.into(),
            event_version: event_version.into(),
            payload: payload.to_string(),
            recorded_at: DateTime::UNIX_EPOCH,
            exchange: None,
            actor: Actor::System,
        }
    }

    /// As a version 0 of `GroupRenamed` would have been, had there been one.
    struct FromTo;
    impl EventUpcaster for FromTo {
        fn can_upcast(&self, event_type: &str, event_version: &str) -> bool {
            (event_type, event_version) == ("GroupRenamed", "0")
        }
        fn upcast(&self, mut event: SerializedEvent) -> SerializedEvent {
            let old = event.payload["GroupRenamed"].take();
            event.payload =
                json!({ "GroupRenamed": { "before": old["from"], "after": old["to"] } });
            event.event_version = "1".into();
            event
        }
    }

    #[test]
    fn an_old_payload_is_read_through_its_upcaster() {
        let old =
            record("GroupRenamed", "0", json!({ "GroupRenamed": { "from": "a", "to": "b" } }));
        let event: GroupEvent = decode_with(&old, &[Box::new(FromTo)]).unwrap();
        assert_eq!(event, GroupEvent::Renamed { before: "a".into(), after: "b".into() });
        assert!(matches!(decode_with::<GroupEvent>(&old, &[]), Err(DecodeError::Payload { .. })));
    }

    #[test]
    fn what_is_not_known_is_an_error_and_never_skipped() {
        let newer =
            record("GroupRenamed", "2", json!({ "GroupRenamed": { "before": "a", "after": "b" } }));
        assert!(matches!(
            DomainEvent::decode(&newer),
            Err(DecodeError::Unknown { position: 7, .. })
        ));
        let other = record("GroupPainted", "1", json!({ "GroupPainted": {} }));
        assert!(matches!(DomainEvent::decode(&other), Err(DecodeError::Unknown { .. })));
        let lying =
            record("GroupDeleted", "1", json!({ "GroupRenamed": { "before": "a", "after": "b" } }));
        assert!(matches!(DomainEvent::decode(&lying), Err(DecodeError::Unknown { .. })));
    }
}
