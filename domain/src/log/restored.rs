//! Where the parts of a backup go, and what becomes of the ledger while they are put down.

use super::error::LogError;
use crate::ids::OrganizationId;
use crate::ledger::{Frontier, LeafHash};
use crate::record::*;

/// The number under which an exchange of a backup is put down, and the position after which it
/// stands then; none if it is there already.
///
/// An organization's exchanges keep their numbers, without a hole. Strangers call at any time, also
/// before and during a restore: what they said in the backup comes after what is there.
pub fn restored_place(
    recorded: &RecordedExchange,
    head: Head,
    is_known: bool,
) -> Result<Option<(ExchangeNumber, Position)>, LogError> {
    let next = head.exchange_number + 1;
    let is_next = recorded.number == next;
    if recorded.exchange.organization == OrganizationId::NONE {
        // One that comes later than it did comes after all that is there.
        let after = if is_next { recorded.after } else { head.position };
        return Ok((!is_known).then_some((next, after)));
    }
    if !is_next {
        return Err(LogError::Damaged(format!(
            "exchange {} cannot follow exchange {}",
            recorded.number, head.exchange_number
        )));
    }
    Ok(Some((next, recorded.after)))
}

/// A tree while parts of a backup are put under it. It grows with what comes in the order of
/// commit. A backup of before had all records in front of all exchanges: a tree that has met one of
/// those is grown anew, from the leaves that are stored, before anything is appended to it.
#[derive(Clone, Debug)]
pub struct Regrowing(Option<Frontier>);

impl Regrowing {
    /// Goes on with what a store keeps; none if that has to be grown anew already.
    pub fn from(kept: Option<Frontier>) -> Self {
        Self(kept)
    }

    /// A record was put down.
    pub fn record(&mut self, leaf: LeafHash) {
        if let Some(frontier) = &mut self.0 {
            frontier.append(leaf);
        }
    }

    /// An exchange was put down, to stand after one position where the last record has another.
    pub fn exchange(&mut self, leaf: LeafHash, after: Position, last: Position) {
        self.0 = self.0.take().filter(|_| after >= last);
        self.record(leaf);
    }

    /// What the store keeps from now on.
    pub fn kept(self) -> Option<Frontier> {
        self.0
    }
}
