//! Types and trait of the log port.

use super::facet::{Facet, Start};
use crate::actor::Actor;
use crate::claim::{Claim, ClaimChanges, ClaimKind};
use crate::exchange::Exchange;
use crate::ids::{ExchangeId, OrganizationId};
use async_trait::async_trait;
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

/// An event on its way into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// Stable name of the event, such as `UserCreated`.
    pub event_type: String,
    /// Version of the payload, such as `1`.
    pub event_version: String,
    /// The payload as JSON text; stored as it is.
    pub payload: String,
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

/// The events of one command.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// Where they go.
    pub stream: StreamId,
    /// How many events the stream had when the command was decided.
    pub expected: Version,
    /// The events; may be empty when only claims are to be checked.
    pub events: Vec<NewEvent>,
    /// Claims taken, given up and needed.
    pub claims: ClaimChanges<Claim>,
    /// When it was decided.
    pub recorded_at: DateTime<Utc>,
    /// Who caused it.
    pub actor: Actor,
    /// The exchange that caused it; the one in [`Append::exchange`] if that is set.
    pub cause: Option<ExchangeId>,
}

/// One atomic append: a command's events, an exchange, or both.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// Whose log.
    pub organization: OrganizationId,
    /// The events, if any.
    pub write: Option<Write>,
    /// The exchange, if any.
    pub exchange: Option<Exchange>,
}

impl Append {
    /// Whether its parts agree on whose log they go to. One that does not would tear a hole into
    /// two logs, so stores refuse it.
    pub fn is_of_one_organization(&self) -> bool {
        self.write.as_ref().is_none_or(|w| w.stream.organization == self.organization)
            && self.exchange.as_ref().is_none_or(|x| x.organization == self.organization)
    }
}

/// What an append became.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Positions of the first and last event, if there were any.
    pub positions: Option<(Position, Position)>,
    /// Number of the exchange, if there was one.
    pub exchange_number: Option<ExchangeNumber>,
    /// The last position of the organization when this was decided, its own events included.
    pub head: Position,
    /// True if this exchange was in the log already; nothing was written.
    pub repeated: bool,
    /// True if the views that are folded inline hold everything up to `head`, for every reader.
    pub folded: bool,
}

/// Why an append was refused. Nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Somebody else appended to the stream first.
    #[error("lost race on {stream}: expected version {expected}, found {actual}")]
    LostRace {
        /// The stream.
        stream: StreamId,
        /// What the writer expected.
        expected: Version,
        /// What was there.
        actual: Version,
    },
    /// Another stream holds a claim that is to be taken.
    #[error("the {} is held by {holder}", kind.as_str())]
    ClaimTaken {
        /// What it is about.
        kind: ClaimKind,
        /// Who holds it.
        holder: StreamId,
    },
    /// Nobody holds a claim that was needed.
    #[error("needed claim {index} is not held")]
    ReferenceMissing {
        /// Index into [`ClaimChanges::require`].
        index: usize,
    },
    /// The store is away, full or shutting down. It is not known whether the append happened;
    /// appending the same exchange again tells.
    #[error("the log cannot be reached: {0}")]
    Unavailable(String),
}

/// Why the log could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The store is away; asking again later may help.
    #[error("the log cannot be reached: {0}")]
    Unavailable(String),
    /// The store holds something that cannot be.
    #[error("the log is damaged: {0}")]
    Damaged(String),
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

/// Whether bodies are read along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    /// Request and answer body.
    Read,
    /// Neither: both are left empty.
    Skip,
}

/// A state of an aggregate, kept so that long streams load fast. Made from stored events only,
/// and ignored when the schema differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregateSnapshot {
    /// The stream.
    pub stream: StreamId,
    /// The version it stands for.
    pub version: Version,
    /// Names the shape of `state`.
    pub schema: String,
    /// The state as JSON text.
    pub state: String,
}

/// Part of a backup, in the order in which it must be restored.
#[derive(Clone, Debug, PartialEq)]
pub enum Restored {
    /// A scope's claim key.
    ClaimKey(OrganizationId, [u8; 32]),
    /// A record at its old position.
    Record(Record),
    /// An exchange at its old number.
    Exchange(Box<RecordedExchange>),
    /// A claim and its holder.
    Claim(Claim, StreamId),
}

/// The log. Its promises stand in the module's documentation.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Appends atomically and durably.
    async fn append(&self, append: Append) -> Result<Appended, AppendError>;

    /// The events of one stream after a version, in order, all of them.
    async fn load(&self, stream: &StreamId, after: Version) -> Result<Vec<Record>, LogError>;

    /// At most `limit` records of an organization after a position, in order.
    async fn records(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Record>, LogError>;

    /// At most `limit` exchanges of an organization after a number, in order.
    async fn exchanges(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
        bodies: Bodies,
    ) -> Result<Vec<RecordedExchange>, LogError>;

    /// At most `limit` exchanges of an organization with a facet, without bodies, in the order of
    /// `start`. By [`Facet::key`]: look whether they have it. A log without an index of facets
    /// looks at each ([`super::scan`]).
    async fn exchanges_with(
        &self,
        organization: OrganizationId,
        facet: Facet<'_>,
        start: Start,
        limit: usize,
    ) -> Result<Vec<RecordedExchange>, LogError>;

    /// One exchange with its bodies.
    async fn exchange(
        &self,
        organization: OrganizationId,
        id: ExchangeId,
    ) -> Result<Option<RecordedExchange>, LogError>;

    /// The ends of one organization's log; zero if it has none.
    async fn head(&self, organization: OrganizationId) -> Result<Head, LogError>;

    /// The ends of all logs, [`OrganizationId::NONE`] included if it has one.
    async fn heads(&self) -> Result<Vec<(OrganizationId, Head)>, LogError>;

    /// The latest snapshot of a stream.
    async fn snapshot(&self, stream: &StreamId) -> Result<Option<AggregateSnapshot>, LogError>;

    /// Keeps a snapshot, unless a later one is there.
    async fn save_snapshot(&self, snapshot: AggregateSnapshot) -> Result<(), LogError>;

    /// Who holds a claim.
    async fn holder(&self, claim: &Claim) -> Result<Option<StreamId>, LogError>;

    /// Claims of a scope after a claim in their order, with their holders.
    async fn claims(
        &self,
        scope: OrganizationId,
        after: Option<Claim>,
        limit: usize,
    ) -> Result<Vec<(Claim, StreamId)>, LogError>;

    /// The key under which a scope's claims are hashed. Keeps `fresh` if there is none yet and
    /// gives the one that is kept.
    async fn claim_key(&self, scope: OrganizationId, fresh: [u8; 32])
    -> Result<[u8; 32], LogError>;

    /// All claim keys, for a backup.
    async fn claim_keys(&self) -> Result<Vec<(OrganizationId, [u8; 32])>, LogError>;

    /// Drops the bodies of exchanges after one number up to another, and says so in each of them
    /// ([`Exchange::bodies_dropped`]). Gives how many had some. What is dropped is gone.
    async fn drop_bodies(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        through: ExchangeNumber,
    ) -> Result<u64, LogError>;

    /// Puts a part of a backup in place. The organizations in it must have had no log before the
    /// first part. Exchanges of [`OrganizationId::NONE`] come after those that are there, whatever
    /// their number was, and are left out if they are there already: strangers call at any time.
    async fn restore(&self, parts: Vec<Restored>) -> Result<(), LogError>;

    /// Says whether the log can be read and written.
    async fn ping(&self) -> Result<(), LogError>;
}
