//! What happened in a run, in numbers.

use super::distinct::Distinct;
use super::fact::{Action, Fact, Key};
use crate::ids::ExchangeId;
use crate::log::ExchangeNumber;
use crate::scim::ResourceKind;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What happened in a run, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The number of the first exchange.
    pub first: ExchangeNumber,
    /// The id of the first exchange.
    pub first_id: ExchangeId,
    /// The number of the last exchange.
    pub last: ExchangeNumber,
    /// When the first came in.
    pub began: DateTime<Utc>,
    /// When the last came in.
    pub ended: DateTime<Utc>,
    /// Exchanges.
    pub exchanges: u64,
    /// Exchanges by operation.
    pub operations: BTreeMap<String, u64>,
    /// Exchanges that changed something.
    pub changes: u64,
    /// Events they caused.
    pub events: u64,
    /// Exchanges answered with an error.
    pub failures: u64,
    /// Exchanges that tried again what failed in an earlier run.
    pub retries: u64,
    /// Users asked for or changed.
    pub users: Distinct,
    /// Groups asked for or changed.
    pub groups: Distinct,
    /// Resources written to.
    pub written: Distinct,
}

impl Tally {
    /// A tally that begins with an exchange, and does not count it yet.
    pub fn new(fact: &Fact) -> Self {
        Self {
            first: fact.number,
            first_id: fact.id,
            last: fact.number,
            began: fact.at,
            ended: fact.at,
            exchanges: 0,
            operations: BTreeMap::new(),
            changes: 0,
            events: 0,
            failures: 0,
            retries: 0,
            users: Distinct::default(),
            groups: Distinct::default(),
            written: Distinct::default(),
        }
    }

    /// Counts an exchange; `subject` is the resource, or what stands for it.
    pub fn add(&mut self, fact: &Fact, subject: Option<Key>, retry: bool) {
        if fact.number < self.first {
            (self.first, self.first_id) = (fact.number, fact.id);
        }
        self.last = self.last.max(fact.number);
        self.began = self.began.min(fact.at);
        self.ended = self.ended.max(fact.at);
        self.exchanges += 1;
        *self.operations.entry(fact.operation.clone()).or_default() += 1;
        self.changes += u64::from(fact.events > 0);
        self.events += fact.events;
        self.failures += u64::from(fact.failed());
        self.retries += u64::from(retry);
        if let Some(subject) = subject {
            match fact.kind {
                Some(ResourceKind::User) => self.users.add(subject),
                Some(ResourceKind::Group) => self.groups.add(subject),
                None => {}
            }
            if matches!(fact.action, Action::Create | Action::Patch | Action::Delete) {
                self.written.add(subject);
            }
        }
    }

    /// Users and groups asked for or changed; an estimate once there are many.
    pub fn subjects(&self) -> u64 {
        self.users.count() + self.groups.count()
    }
}
