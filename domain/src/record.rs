//! What the log holds: events in their envelopes, and exchanges under their numbers.

use crate::actor::Actor;
use crate::exchange::Exchange;
use crate::ids::{ExchangeId, OrganizationId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The kinds of aggregate; the name is what stores keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AggregateKind {
    /// A user.
    User,
    /// A group.
    Group,
    /// An organization.
    Organization,
    /// The deployment: what holds for all organizations.
    Deployment,
    /// Who follows an organization's log from outside.
    Consumer,
}

impl AggregateKind {
    /// All kinds.
    pub const ALL: [AggregateKind; 5] = [
        AggregateKind::User,
        AggregateKind::Group,
        AggregateKind::Organization,
        AggregateKind::Deployment,
        AggregateKind::Consumer,
    ];

    /// The stable name, as `cqrs_es::Aggregate::TYPE` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            AggregateKind::User => "User",
            AggregateKind::Group => "Group",
            AggregateKind::Organization => "Organization",
            AggregateKind::Deployment => "Deployment",
            AggregateKind::Consumer => "Consumer",
        }
    }

    /// Reads the stable name.
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == s)
    }
}

/// Names one aggregate's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamId {
    /// The organization it belongs to; part of the name, so that no other can reach it.
    pub organization: OrganizationId,
    /// The kind of aggregate.
    pub kind: AggregateKind,
    /// The aggregate's id.
    pub id: Uuid,
}

impl StreamId {
    /// `organization/id`: the aggregate id in stores that have one text for it.
    pub fn aggregate_id(&self) -> String {
        format!("{}/{}", self.organization, self.id)
    }

    /// Reads [`Self::aggregate_id`].
    pub fn from_aggregate_id(kind: AggregateKind, s: &str) -> Option<Self> {
        let (organization, id) = s.split_once('/')?;
        Some(Self { organization: organization.parse().ok()?, kind, id: id.parse().ok()? })
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.id)
    }
}

/// A record's place in its organization's log: 1, 2, 3...; 0 is before the first.
pub type Position = u64;
/// An exchange's place among its organization's exchanges: 1, 2, 3...; 0 is before the first.
pub type ExchangeNumber = u64;
/// Number of events in a stream; the first event has version 1.
pub type Version = u64;

/// The ends of one organization's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Position of the last record.
    pub position: Position,
    /// Number of the last exchange.
    pub exchange_number: ExchangeNumber,
}

/// One entry of the log: an event in its envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Place in the organization's log.
    pub position: Position,
    /// The aggregate it belongs to.
    pub stream: StreamId,
    /// Place in that stream.
    pub version: Version,
    /// Stable name of the event.
    pub event_type: String,
    /// Version of the payload.
    pub event_version: String,
    /// The payload as JSON text.
    pub payload: String,
    /// When it was decided.
    pub recorded_at: DateTime<Utc>,
    /// The exchange that caused it.
    pub exchange: Option<ExchangeId>,
    /// Who caused it.
    pub actor: Actor,
}

/// An exchange in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedExchange {
    /// Its number.
    pub number: ExchangeNumber,
    /// Positions of the first and last event it caused.
    pub positions: Option<(Position, Position)>,
    /// The organization's position when it was appended; orders exchanges among records.
    pub after: Position,
    /// The exchange.
    pub exchange: Exchange,
}
