//! How a batch of appends is decided: a pure function, the same for every store that can look at
//! its facts under a lock.
//!
//! A store locks the heads of the organizations that [`wanted`] names, reads the [`Facts`], calls
//! [`plan`], writes the [`Plan`] and commits. Appends of one organization are thereby decided one
//! after another, so checking before writing is exact and a refused append leaves no trace.

use super::error::AppendError;
use super::identity::Mark;
use super::ledger::{exchange_leaf, record_leaf};
use super::port::*;
use crate::claim::Claim;
use crate::ids::{ExchangeId, OrganizationId};
use crate::ledger::{Frontier, LeafHash};
use crate::record::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What must be read, and whose heads must be locked, before a batch can be decided.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Lock these heads, in this order, so that two batches cannot wait for each other.
    pub organizations: BTreeSet<OrganizationId>,
    /// Read the versions of these streams.
    pub streams: BTreeSet<StreamId>,
    /// Read the holders of these claims.
    pub claims: BTreeSet<Claim>,
    /// See whether these exchanges are there.
    pub exchanges: BTreeSet<(OrganizationId, ExchangeId)>,
}

/// Where an exchange is: its number, and positions of the first and last event it caused.
pub type ExchangePlace = (ExchangeNumber, Option<(Position, Position)>);

/// What the store holds, for everything in [`Wanted`]. What is absent is not there.
#[derive(Debug, Default)]
pub struct Facts {
    /// Ends of the logs.
    pub heads: HashMap<OrganizationId, Head>,
    /// Trees over those logs.
    pub trees: HashMap<OrganizationId, Frontier>,
    /// Stream versions.
    pub versions: HashMap<StreamId, Version>,
    /// Holders of claims.
    pub claims: HashMap<Claim, StreamId>,
    /// Exchanges that are there, with the positions they caused.
    pub exchanges: HashMap<(OrganizationId, ExchangeId), ExchangePlace>,
}

/// What becomes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The stream holds it from now on.
    Held(StreamId),
    /// Nobody holds it any more.
    Free,
}

/// What to write, and what to answer.
#[derive(Debug, Default)]
pub struct Plan {
    /// One outcome for each append, in order.
    pub outcomes: Vec<Result<Appended, AppendError>>,
    /// Records to insert.
    pub records: Vec<Record>,
    /// Their leaves in the ledger.
    pub record_leaves: Vec<LeafHash>,
    /// Exchanges to insert.
    pub exchanges: Vec<RecordedExchange>,
    /// Their leaves in the ledger.
    pub exchange_leaves: Vec<LeafHash>,
    /// Claims that changed, in their final state.
    pub claims: BTreeMap<Claim, ClaimOutcome>,
    /// Heads that moved.
    pub heads: BTreeMap<OrganizationId, Head>,
    /// Trees that grew: of each head that moved.
    pub trees: BTreeMap<OrganizationId, Frontier>,
    /// The last exchange of each head that moved, if one is among what is inserted.
    pub last_exchanges: BTreeMap<OrganizationId, ExchangeId>,
}

impl Plan {
    /// Whether there is nothing to write: all was refused, or was there already.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.exchanges.is_empty() && self.claims.is_empty()
    }

    /// Where the logs end whose heads moved, once this is written.
    pub fn ends(&self) -> impl Iterator<Item = (OrganizationId, Mark)> {
        self.heads.iter().map(|(organization, head)| {
            let Head { position, exchange_number } = *head;
            let last_exchange = self.last_exchanges.get(organization).copied();
            (*organization, Mark { position, exchange_number, last_exchange })
        })
    }

    /// Says so in the outcomes of those whose views were folded inline. `organizations` are those
    /// of the appends, in order.
    pub fn shown(&mut self, organizations: &[OrganizationId], folded: &BTreeSet<OrganizationId>) {
        for (outcome, organization) in self.outcomes.iter_mut().zip(organizations) {
            if let Ok(appended) = outcome {
                appended.folded = folded.contains(organization);
            }
        }
    }
}

/// What [`plan`] needs to know about these appends.
pub fn wanted(appends: &[Append]) -> Wanted {
    let mut w = Wanted::default();
    for append in appends {
        w.organizations.insert(append.organization);
        if let Some(write) = &append.write {
            w.streams.insert(write.stream);
            let c = &write.claims;
            for claim in c.release.iter().chain(&c.take).chain(&c.require) {
                w.claims.insert(*claim);
                // A claim may hold beyond its organization: two organizations must not decide on it
                // at once.
                w.organizations.insert(claim.scope);
            }
        }
        if let Some(exchange) = &append.exchange {
            w.exchanges.insert((append.organization, exchange.id));
        }
    }
    w
}

/// Decides a batch: each append alone, in order, on top of those before it.
pub fn plan(mut facts: Facts, appends: Vec<Append>) -> Plan {
    let mut plan = Plan::default();
    for append in appends {
        let outcome = one(&mut facts, &mut plan, append);
        plan.outcomes.push(outcome);
    }
    plan
}

fn one(facts: &mut Facts, plan: &mut Plan, append: Append) -> Result<Appended, AppendError> {
    let organization = append.organization;
    if let Some(known) =
        append.exchange.as_ref().and_then(|x| facts.exchanges.get(&(organization, x.id)))
    {
        let head = facts.heads.get(&organization).map_or(0, |h| h.position);
        return Ok(Appended {
            positions: known.1,
            exchange_number: Some(known.0),
            head,
            repeated: true,
            folded: false,
        });
    }
    if let Some(write) = &append.write {
        check(facts, write)?;
    }
    // From here on nothing can fail.
    let mut head = facts.heads.get(&organization).copied().unwrap_or_default();
    let mut done = Appended::default();
    if let Some(write) = append.write {
        let cause = append.exchange.as_ref().map(|x| x.id).or(write.cause);
        done.positions = events(facts, plan, &mut head, write, cause);
    }
    if let Some(exchange) = append.exchange {
        head.exchange_number += 1;
        done.exchange_number = Some(head.exchange_number);
        facts.exchanges.insert((organization, exchange.id), (head.exchange_number, done.positions));
        plan.last_exchanges.insert(organization, exchange.id);
        let recorded = RecordedExchange {
            number: head.exchange_number,
            positions: done.positions,
            after: head.position,
            exchange,
        };
        let leaf = exchange_leaf(&recorded);
        tree(facts, plan, organization).append(leaf);
        plan.exchange_leaves.push(leaf);
        plan.exchanges.push(recorded);
    }
    if done != Appended::default() {
        facts.heads.insert(organization, head);
        plan.heads.insert(organization, head);
    }
    done.head = head.position;
    Ok(done)
}

/// The tree of an organization that something is appended to.
fn tree<'p>(
    facts: &mut Facts,
    plan: &'p mut Plan,
    organization: OrganizationId,
) -> &'p mut Frontier {
    let kept = || facts.trees.remove(&organization).unwrap_or_default();
    plan.trees.entry(organization).or_insert_with(kept)
}

fn check(facts: &Facts, write: &Write) -> Result<(), AppendError> {
    let actual = facts.versions.get(&write.stream).copied().unwrap_or(0);
    if actual != write.expected {
        return Err(AppendError::LostRace {
            stream: write.stream,
            expected: write.expected,
            actual,
        });
    }
    for claim in &write.claims.take {
        if let Some(&holder) = facts.claims.get(claim)
            && (holder != write.stream || claim.kind.is_once())
        {
            return Err(AppendError::ClaimTaken { kind: claim.kind, holder });
        }
    }
    for (index, claim) in write.claims.require.iter().enumerate() {
        if !facts.claims.contains_key(claim) {
            return Err(AppendError::ReferenceMissing { index });
        }
    }
    Ok(())
}

fn events(
    facts: &mut Facts,
    plan: &mut Plan,
    head: &mut Head,
    write: Write,
    cause: Option<ExchangeId>,
) -> Option<(Position, Position)> {
    for claim in write.claims.release {
        // Only the holder gives a claim up: a late release must not free a successor's.
        if facts.claims.get(&claim) == Some(&write.stream) {
            facts.claims.remove(&claim);
            plan.claims.insert(claim, ClaimOutcome::Free);
        }
    }
    for claim in write.claims.take {
        if facts.claims.insert(claim, write.stream) != Some(write.stream) {
            plan.claims.insert(claim, ClaimOutcome::Held(write.stream));
        }
    }
    let first = head.position + 1;
    let mut version = write.expected;
    for event in write.events {
        head.position += 1;
        version += 1;
        let record = Record {
            position: head.position,
            stream: write.stream,
            version,
            event_type: event.event_type,
            event_version: event.event_version,
            payload: event.payload,
            recorded_at: write.recorded_at,
            exchange: cause,
            actor: write.actor.clone(),
        };
        let leaf = record_leaf(&record);
        tree(facts, plan, write.stream.organization).append(leaf);
        plan.record_leaves.push(leaf);
        plan.records.push(record);
    }
    facts.versions.insert(write.stream, version);
    (head.position >= first).then_some((first, head.position))
}
