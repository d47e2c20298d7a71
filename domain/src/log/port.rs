//! Types and trait of the log port.

use super::error::{AppendError, LogError};
use super::facet::{Facet, Start};
use super::identity::{Found, Mark, Watch};
use super::keys::{KeyId, KeyRing, Wrapped};
use super::ledger::{ExchangeLeaf, LedgerHead};
use super::rewrite::{Rewrite, Rewritten};
use crate::actor::Actor;
use crate::claim::{Claim, ClaimChanges};
use crate::exchange::Exchange;
use crate::ids::{ExchangeId, OrganizationId};
use crate::ledger::LeafHash;
use crate::record::*;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use uuid::Uuid;

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
    /// ([`Exchange::bodies_dropped`]). Gives how many had some. What is dropped is gone, but for
    /// its hashes, so that the leaves of the ledger still follow from what is stored.
    async fn drop_bodies(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        through: ExchangeNumber,
    ) -> Result<u64, LogError>;

    /// Erases these exchanges ([`erase_exchange`](crate::ledger::entry::erase_exchange)), and what they are found by. Gives how many were
    /// not erased before; none if the store never changes what it holds.
    async fn erase_exchanges(
        &self,
        organization: OrganizationId,
        numbers: &[ExchangeNumber],
    ) -> Result<Option<u64>, LogError> {
        match self.below() {
            Some(log) => log.erase_exchanges(organization, numbers).await,
            None => Ok(None),
        }
    }

    /// Which log this is: drawn at random when it was made, and never changed. A log that a backup
    /// was restored into is another one.
    async fn epoch(&self) -> Result<Uuid, LogError>;

    /// What the head of an organization's log says of its ledger; that of an empty tree if it has
    /// no log.
    async fn ledger_head(&self, organization: OrganizationId) -> Result<LedgerHead, LogError>;

    /// How many records and exchanges of an organization the store holds, whatever they say of
    /// themselves: more than its head says only if somebody else put them there.
    async fn counted(&self, organization: OrganizationId) -> Result<Head, LogError>;

    /// At most `limit` leaves of records after a position, in order, as they were computed when
    /// those were appended. None where what is kept is no hash.
    async fn record_leaves(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<(Position, Option<LeafHash>)>, LogError>;

    /// The same of exchanges after a number.
    async fn exchange_leaves(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
    ) -> Result<Vec<ExchangeLeaf>, LogError>;

    /// Puts a part of a backup in place. The organizations in it must have had no log before the
    /// first part. Exchanges of [`OrganizationId::NONE`] come after those that are there, whatever
    /// their number was, and are left out if they are there already: strangers call at any time.
    async fn restore(&self, parts: Vec<Restored>) -> Result<(), LogError>;

    /// The log that this one stands before, if it is no store itself: it answers what a store may
    /// leave out, so that what stands before it cannot forget to pass that on.
    fn below(&self) -> Option<&dyn Log> {
        None
    }

    /// Puts records where others were lost, or in the place of others: all or none. What was there is
    /// kept as a note ([`mended`](super::mended)), the leaf of the ledger stays what it was, and
    /// snapshots of the organization are dropped. Gives whether the store can.
    async fn mend(&self, records: Vec<Record>) -> Result<bool, LogError> {
        match self.below() {
            Some(log) => log.mend(records).await,
            None => Ok(false),
        }
    }

    /// What the store's own clock shows; none if it has none that all processes share.
    async fn time(&self) -> Result<Option<DateTime<Utc>>, LogError> {
        match self.below() {
            Some(log) => log.time().await,
            None => Ok(None),
        }
    }

    /// Says whether the log can be read and written.
    async fn ping(&self) -> Result<(), LogError>;

    /// What this process knows of the log. Stores that keep one hold each append, each new
    /// connection and each head against it; of others a new one is given.
    fn watch(&self) -> Arc<Watch> {
        self.below().map_or_else(Arc::default, |log| log.watch())
    }

    /// Holds all that is known of the log against it, and learns what is not known yet.
    async fn compare(&self, watch: &Watch) -> Result<(), LogError> {
        if let Some(log) = self.below() {
            return log.compare(watch).await;
        }
        let known = watch.known();
        watch.epoch(self.epoch().await?).map_err(LogError::Closed)?;
        for (organization, Head { position, exchange_number }) in self.heads().await? {
            let end = Mark { position, exchange_number, last_exchange: None };
            let mark = known.marks.get(&organization).copied();
            let found = Found { end, at_known: None };
            watch.compare(organization, mark, found).map_err(LogError::Closed)?;
        }
        Ok(())
    }

    /// What was kept beside the log under a name; none if nothing was, or if the store cannot keep
    /// such things.
    async fn note(&self, name: &str) -> Result<Option<String>, LogError> {
        match self.below() {
            Some(log) => log.note(name).await,
            None => Ok(None),
        }
    }

    /// Keeps something beside the log under a name, or no more. Gives whether the store can.
    async fn keep_note(&self, name: &str, text: Option<&str>) -> Result<bool, LogError> {
        match self.below() {
            Some(log) => log.keep_note(name, text).await,
            None => Ok(false),
        }
    }

    /// Empties a log that is being restored ([`RESTORING`](super::RESTORING) is noted), strangers'
    /// exchanges included, and gives it another epoch: all or nothing. Gives whether the store can.
    async fn clear(&self, fresh: Uuid) -> Result<bool, LogError> {
        match self.below() {
            Some(log) => log.clear(fresh).await,
            None => Ok(false),
        }
    }

    /// Gives the log another epoch, and keeps under the name of the one of before, as a note, that
    /// it is followed by that one: all or nothing. Gives whether the store can.
    async fn renew(&self, was: Uuid, fresh: Uuid) -> Result<bool, LogError> {
        match self.below() {
            Some(log) => log.renew(was, fresh).await,
            None => Ok(false),
        }
    }

    /// Whether the log is of the format before, and has something in it: it is to be rewritten.
    async fn is_of_before(&self) -> Result<bool, LogError> {
        match self.below() {
            Some(log) => log.is_of_before().await,
            None => Ok(false),
        }
    }

    /// Rewrites all of a log whose format is the one before, where it lies: all or nothing. Leaves
    /// and trees are made anew, and the log gets another epoch, which is noted under the one of
    /// before ([`rewritten_of`](super::rewritten_of)). None if there is nothing to rewrite, or if
    /// the store never does.
    async fn rewrite(
        &self,
        fresh: Uuid,
        by: Arc<dyn Rewrite>,
    ) -> Result<Option<Rewritten>, LogError> {
        match self.below() {
            Some(log) => log.rewrite(fresh, by).await,
            None => Ok(None),
        }
    }

    /// What is stored, if that is sealed and readers see it opened.
    fn sealed(&self) -> Option<&dyn Sealed> {
        None
    }
}

/// What a log that seals what is personal says of itself ([`Log::sealed`]).
#[async_trait]
pub trait Sealed: Send + Sync {
    /// The log as it is stored: what its ledger vouches for, and what a backup takes along.
    fn stored(&self) -> Arc<dyn Log>;

    /// A stored record as readers see it.
    async fn open(&self, record: Record) -> Result<Record, LogError>;

    /// A stored exchange as readers see it.
    async fn open_exchange(&self, exchange: &mut Exchange) -> Result<(), LogError>;

    /// Seals an exchange that is kept beside the log.
    async fn seal_exchange(&self, exchange: &mut Exchange) -> Result<(), LogError>;

    /// The same with keys that are kept in memory only, none so far: to read what was sealed with
    /// keys that cannot be kept here.
    fn apart(&self) -> Arc<dyn Sealed>;

    /// The keys that what is personal in a stored record is sealed with; none if nothing is.
    ///
    /// # Errors
    /// If it cannot be read.
    fn keys_of(&self, record: &Record) -> Result<Vec<KeyId>, LogError>;

    /// Drops all keys that are at hand: the log is another one than before, and so are they.
    fn forget(&self);

    /// Where its keys lie.
    fn keys(&self) -> &dyn KeyRing;

    /// Whether a wrapped key of an organization can be used here.
    ///
    /// # Errors
    /// If it was wrapped by the key of another deployment, or changed.
    fn check(&self, organization: OrganizationId, key: &Wrapped) -> Result<(), LogError>;
}

/// The log that the ledger of a log is about: the one itself, unless it seals.
pub fn stored(log: &Arc<dyn Log>) -> Arc<dyn Log> {
    log.sealed().map_or_else(|| log.clone(), Sealed::stored)
}
