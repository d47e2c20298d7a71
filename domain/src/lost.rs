//! What stands in a log where a record was lost, and an operator let it count without: a record
//! like any other, so that positions go on without a gap and every reader passes it in order. It
//! changes nothing of what its stream is about.

use crate::actor::Actor;
use crate::decode::DecodeError;
use crate::log::{Position, Record, StreamId, Version};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The name of the event, as it is stored.
pub const RECORD_LOST: &str = "RecordLost";
/// The payload version that is written today.
pub const RECORD_LOST_VERSION: &str = "1";

/// A record was lost, and the log counts without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLost {
    /// Why it counts, in the operator's words.
    pub because: String,
    /// When that was decided: the envelope has the time of the record before it, for the log is in
    /// order of time.
    pub accepted_at: DateTime<Utc>,
    /// What had become of the record: `missing`, `unreadable`, or `left-behind` if it could be read
    /// and meant nothing without one that was lost.
    pub was: String,
}

/// As payloads are: tagged with the event's name.
#[derive(Serialize, Deserialize)]
enum Payload {
    #[serde(rename = "RecordLost")]
    RecordLost(RecordLost),
}

impl RecordLost {
    /// The record that says so.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn record(
        self,
        position: Position,
        (stream, version): (StreamId, Version),
        recorded_at: DateTime<Utc>,
        actor: Actor,
    ) -> Result<Record, serde_json::Error> {
        Ok(Record {
            position,
            stream,
            version,
            event_type: RECORD_LOST.to_owned(),
            event_version: RECORD_LOST_VERSION.to_owned(),
            payload: self.payload()?,
            recorded_at,
            exchange: None,
            actor,
        })
    }

    /// As it is stored: nothing in it is personal.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn payload(&self) -> serde_json::Result<String> {
        serde_json::to_string(&Payload::RecordLost(self.clone()))
    }

    /// Reads it of a record; none if that is another event.
    ///
    /// # Errors
    /// If it cannot be understood.
    pub fn of(record: &Record) -> Result<Option<Self>, DecodeError> {
        if record.event_type != RECORD_LOST {
            return Ok(None);
        }
        let of = || (record.event_type.clone(), record.event_version.clone(), record.position);
        if record.event_version != RECORD_LOST_VERSION {
            let (event_type, event_version, position) = of();
            return Err(DecodeError::Unknown { event_type, event_version, position });
        }
        match serde_json::from_str(&record.payload) {
            Ok(Payload::RecordLost(lost)) => Ok(Some(lost)),
            // The message may hold data, so it is not kept.
            Err(error) => {
                let (event_type, event_version, position) = of();
                let (category, column) = (format!("{:?}", error.classify()), error.column());
                Err(DecodeError::Payload { event_type, event_version, position, category, column })
            }
        }
    }
}

impl Record {
    /// Whether it stands where another one was lost.
    pub fn is_lost(&self) -> bool {
        self.event_type == RECORD_LOST
    }
}
