//! Events of an organization's stream: what their metadata says.
//!
//! The metadata alone decides what an event is; its type is for people. A stream holds nothing but
//! these: anything else in it is damage.

use crate::append::Proposed;
use crate::parts::Parts;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use eventstore::{EventData, RecordedEvent};
use rollcall_domain::actor::Actor;
use rollcall_domain::body_hashes::Sha256Hash;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::*;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// The metadata of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// Whose log.
    pub organization: OrganizationId,
    /// What it is.
    #[serde(flatten)]
    pub what: What,
    /// The append it came with.
    pub batch: Batch,
    /// The leaf of a record or an exchange in the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<Sha256Hash>,
    /// True if it came out of a backup: the leaf is younger than what is under it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restored: bool,
    /// Where its data is, if not in the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_in: Option<Parts>,
    /// The exchange it belongs to, under the name that KurrentDB's own projections know.
    #[serde(rename = "$correlationId", default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<ExchangeId>,
    /// The same: an exchange causes its events.
    #[serde(rename = "$causationId", default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<ExchangeId>,
}

/// The append that an event came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Batch {
    /// Revision of its first event.
    pub first: u64,
    /// Number of its events.
    pub count: u32,
}

/// What an event is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum What {
    /// A record; the data is its payload.
    Record {
        position: Position,
        aggregate: AggregateKind,
        id: Uuid,
        version: Version,
        event_version: String,
        recorded_at: DateTime<Utc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exchange: Option<ExchangeId>,
        actor: Actor,
    },
    /// An exchange; the data is its document.
    Exchange {
        exchange_number: ExchangeNumber,
        id: ExchangeId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        positions: Option<(Position, Position)>,
        after: Position,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bodies: Option<Bodied>,
    },
    /// Claims in their final state; the data lists them.
    Claims,
    /// Bodies of exchanges after one number up to another are dropped.
    BodiesDropped { after: ExchangeNumber, through: ExchangeNumber },
    /// Claims of this scope that hold if an append to another organization's stream happens; the
    /// data lists them.
    Pending { of: OrganizationId, behind: Option<u64>, token: Uuid },
    /// What became of the [`What::Pending`] at a revision.
    Settled { pending: u64, confirmed: bool },
    /// Nothing. Whatever was to stand here was to be decided, and is not coming any more.
    Fence,
}

impl What {
    fn name(&self) -> &'static str {
        match self {
            What::Record { .. } => "Record",
            What::Exchange { .. } => "Exchange",
            What::Claims => "ClaimsChanged",
            What::BodiesDropped { .. } => "BodiesDropped",
            What::Pending { .. } => "ClaimsPending",
            What::Settled { .. } => "ClaimsSettled",
            What::Fence => "Fence",
        }
    }
}

/// Where an exchange's bodies are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bodied {
    /// The month that names their stream, such as 202611.
    pub month: u32,
    /// Bytes of the request's body; the answer's comes behind it.
    pub request: u64,
    #[serde(flatten)]
    pub parts: Parts,
}

/// An event in its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub revision: u64,
    pub id: Uuid,
    pub event_type: String,
    pub meta: Meta,
    pub data: Bytes,
}

impl Entry {
    /// An entry that is to be appended; the id and the place in the batch follow.
    pub fn new(organization: OrganizationId, what: What, data: impl Into<Bytes>) -> Self {
        let correlation = match &what {
            What::Record { exchange, .. } => *exchange,
            What::Exchange { id, .. } => Some(*id),
            _ => None,
        };
        let causation = correlation.filter(|_| matches!(what, What::Record { .. }));
        let event_type = what.name().to_owned();
        let batch = Batch { first: 0, count: 0 };
        let meta = Meta {
            organization,
            what,
            batch,
            leaf: None,
            restored: false,
            data_in: None,
            correlation,
            causation,
        };
        Self { revision: 0, id: Uuid::nil(), event_type, meta, data: data.into() }
    }

    /// With its leaf in the ledger.
    fn under(mut self, leaf: LeafHash) -> Self {
        self.meta.leaf = Some(Sha256Hash(leaf.0));
        self
    }

    /// Reads an event of a stream; in words why not.
    pub fn read(event: RecordedEvent) -> Result<Self, String> {
        let meta: Meta = serde_json::from_slice(&event.custom_metadata)
            .map_err(|e| format!("{} is none of Rollcall's: {e}", event.event_type))?;
        Ok(Self {
            revision: event.revision,
            id: event.id,
            event_type: event.event_type,
            meta,
            data: event.data,
        })
    }

    /// As it is sent.
    pub fn propose(&self) -> serde_json::Result<Proposed> {
        // Payloads are kept byte for byte; to a server, and to those who look at it, they are JSON.
        let json: Option<&RawValue> =
            std::str::from_utf8(&self.data).ok().and_then(|text| serde_json::from_str(text).ok());
        let data = match json {
            // What the data refers to lies elsewhere then.
            _ if self.meta.data_in.is_some() => EventData::binary(&self.event_type, Bytes::new()),
            Some(json) if json.get().len() == self.data.len() => {
                EventData::json(&self.event_type, &json)?
            }
            _ => EventData::binary(&self.event_type, self.data.clone()),
        };
        Ok(Proposed { id: self.id, data: data.id(self.id).metadata_as_json(&self.meta)? })
    }

    /// Bytes it takes in an append, about.
    pub fn size(&self) -> usize {
        const META: usize = 900;
        META + if self.meta.data_in.is_some() { 0 } else { self.data.len() }
    }
}

/// A record as an entry.
pub(crate) fn of_record((record, leaf): (Record, LeafHash)) -> Entry {
    let what = What::Record {
        position: record.position,
        aggregate: record.stream.kind,
        id: record.stream.id,
        version: record.version,
        event_version: record.event_version,
        recorded_at: record.recorded_at,
        exchange: record.exchange,
        actor: record.actor,
    };
    let entry = Entry::new(record.stream.organization, what, record.payload).under(leaf);
    Entry { event_type: record.event_type, ..entry }
}

/// An exchange as an entry, without its bodies.
pub(crate) fn of_exchange(
    (recorded, leaf): (&RecordedExchange, LeafHash),
    bodies: Option<Bodied>,
) -> serde_json::Result<Entry> {
    let x = &recorded.exchange;
    let what = What::Exchange {
        exchange_number: recorded.number,
        id: x.id,
        positions: recorded.positions,
        after: recorded.after,
        bodies,
    };
    Ok(Entry::new(x.organization, what, serde_json::to_vec(x)?).under(leaf))
}

/// The record that an entry is; in words why it is none.
pub(crate) fn to_record(entry: Entry) -> Result<Record, String> {
    let What::Record {
        position,
        aggregate,
        id,
        version,
        event_version,
        recorded_at,
        exchange,
        actor,
    } = entry.meta.what
    else {
        return Err(format!("{} is no record", entry.event_type));
    };
    let stream = StreamId { organization: entry.meta.organization, kind: aggregate, id };
    let payload = String::from_utf8(entry.data.into()).map_err(|e| e.to_string())?;
    Ok(Record {
        position,
        stream,
        version,
        event_type: entry.event_type,
        event_version,
        payload,
        recorded_at,
        exchange,
        actor,
    })
}

/// The exchange that an entry is, without bodies, and where those are; in words why it is none.
pub(crate) fn to_exchange(entry: &Entry) -> Result<(RecordedExchange, Option<Bodied>), String> {
    let What::Exchange { exchange_number, positions, after, bodies, .. } = &entry.meta.what else {
        return Err(format!("{} is no exchange", entry.event_type));
    };
    let exchange = serde_json::from_slice(&entry.data).map_err(|e| e.to_string())?;
    Ok((
        RecordedExchange {
            number: *exchange_number,
            positions: *positions,
            after: *after,
            exchange,
        },
        bodies.clone(),
    ))
}
