//! What a log says of the ledger over an organization's records and exchanges.

use super::identity::Mark;
use crate::ids::ExchangeId;
use crate::ledger::entry::{ExchangeHashes, exchange_entry, record_entry};
use crate::ledger::{Frontier, LeafHash, leaf};
use crate::record::{ExchangeNumber, Head, Position, Record, RecordedExchange};

/// The leaf of a record, whose payload is as it is stored.
pub fn record_leaf(record: &Record) -> LeafHash {
    leaf(&record_entry(record))
}

/// The leaf of an exchange that was read with its bodies, or whose bodies are dropped.
pub fn exchange_leaf(recorded: &RecordedExchange) -> LeafHash {
    leaf(&exchange_entry(recorded, &ExchangeHashes::of(&recorded.exchange)))
}

/// What the head of an organization's log says of its ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerHead {
    /// The ends of the log.
    pub head: Head,
    /// The tree as it grew with each append. If nobody but Rollcall wrote into the store, it has a
    /// leaf for each record and each exchange.
    pub frontier: Frontier,
    /// So many leaves at the beginning were computed when everything under them was there already:
    /// by a version that brought the ledger, or by a restore. Of the time before, they say nothing.
    pub uncovered: u64,
    /// The last exchange.
    pub last_exchange: Option<ExchangeId>,
}

impl LedgerHead {
    /// Where the log ends.
    pub fn mark(&self) -> Mark {
        let Head { position, exchange_number } = self.head;
        Mark { position, exchange_number, last_exchange: self.last_exchange }
    }
}

/// The leaf of an exchange, as a store keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeLeaf {
    /// Its number.
    pub number: ExchangeNumber,
    /// The position after which it stands.
    pub after: Position,
    /// Its leaf; none if what the store holds is no hash.
    pub leaf: Option<LeafHash>,
}
