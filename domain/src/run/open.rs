//! A run that is still going on, and a run as it is shown.

use super::evidence::Evidence;
use super::fact::{Action, Fact, Key, Shape};
use super::kind::{Confidence, RunKind};
use super::rhythm::Place;
use super::tally::Tally;
use crate::ids::{RunId, TokenId};
use crate::scim::ResourceKind;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// So many resources touched last, and lookups without an answer in a create, are remembered.
const RECENT: usize = 64;
const SOURCES: usize = 8;

/// A run as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What it was.
    pub kind: RunKind,
    /// How sure that is.
    pub confidence: Confidence,
    /// Why.
    pub evidence: Vec<Evidence>,
    /// True until there was silence, or the next run began.
    pub open: bool,
    /// The token of the client.
    pub token: TokenId,
    /// Addresses it came from, at most eight.
    pub sources: Vec<String>,
    /// What happened in it.
    pub tally: Tally,
    /// Where it stands among the client's cycles.
    pub place: Option<Place>,
}

/// A run that is still going on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    pub id: RunId,
    pub sources: Vec<String>,
    pub tally: Tally,
    /// Attributes and kinds of the lookups it began with.
    pub probes: Vec<Probe>,
    /// The first operation that Entra never sends.
    pub foreign: Option<String>,
    /// True if everything is listed page by page.
    pub paging: bool,
    /// True if it began while another run of the client was going on.
    pub inside: bool,
    /// True if that other run may just have ended, and this one be the next cycle.
    pub may_replace: bool,
    /// True if nobody but this run came from its address while both were going on.
    pub own_source: bool,
    pub legacy: u64,
    pub modern: u64,
    pub last_lookup: Option<DateTime<Utc>>,
    pub last_kind: Option<ResourceName>,
    recent: VecDeque<(Key, DateTime<Utc>)>,
    pending: VecDeque<(ResourceName, Key, DateTime<Utc>)>,
}

/// A lookup for a GUID that nobody has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Probe {
    pub attribute: String,
    pub kind: ResourceName,
    /// The status, if it was an error.
    pub failed: Option<u16>,
}

/// User or group, as the state keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ResourceName {
    User,
    Group,
}

impl ResourceName {
    pub fn of(kind: Option<ResourceKind>) -> Option<Self> {
        match kind? {
            ResourceKind::User => Some(ResourceName::User),
            ResourceKind::Group => Some(ResourceName::Group),
        }
    }
}

impl Open {
    pub fn new(id: RunId, fact: &Fact) -> Self {
        Self {
            id,
            sources: Vec::new(),
            tally: Tally::new(fact),
            probes: Vec::new(),
            foreign: None,
            paging: false,
            inside: false,
            may_replace: false,
            own_source: false,
            legacy: 0,
            modern: 0,
            last_lookup: None,
            last_kind: None,
            recent: VecDeque::new(),
            pending: VecDeque::new(),
        }
    }

    /// Time without an exchange.
    pub fn quiet(&self, at: DateTime<Utc>) -> Duration {
        at - self.tally.ended
    }

    /// True while only lookups for GUIDs that nobody has came.
    pub fn is_only_probes(&self) -> bool {
        !self.probes.is_empty() && self.tally.exchanges == self.probes.len() as u64
    }

    /// True if no lookup waits for a create.
    pub fn pending_is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// One user, or one group with a few members: what can be sent on demand.
    pub fn is_small(&self) -> bool {
        let (users, groups) = (self.tally.users.count(), self.tally.groups.count());
        users <= 1 && groups == 0 || groups == 1 && users <= 5
    }

    pub fn has_source(&self, source: &Option<String>) -> bool {
        source.as_ref().is_some_and(|s| self.sources.contains(s))
    }

    /// When a resource was last touched, if that is not long ago.
    pub fn touched(&self, subject: Key, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let recent =
            self.recent.iter().rev().find(|(key, _)| *key == subject).map(|(_, when)| *when);
        recent.filter(|when| at - *when <= Duration::seconds(60))
    }

    /// When the oldest lookup that a create may answer came.
    pub fn awaits_create(
        &self,
        kind: Option<ResourceKind>,
        at: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let wanted = ResourceName::of(kind)?;
        let mut fresh = self
            .pending
            .iter()
            .filter(|(k, _, when)| *k == wanted && at - *when <= Duration::seconds(60));
        fresh.next().map(|(_, _, when)| *when)
    }

    /// What stands for the resource an exchange is about: first its id, then what stays the same
    /// when it is tried again. For a create that is the value looked up before; for one that
    /// failed, both.
    pub fn subject_of(&mut self, fact: &Fact) -> (Option<Key>, Option<Key>) {
        let looked_up = match &fact.action {
            Action::Create => {
                let wanted = ResourceName::of(fact.kind);
                let index = self.pending.iter().position(|(kind, _, _)| Some(*kind) == wanted);
                index.and_then(|i| self.pending.remove(i)).map(|(_, value, _)| value)
            }
            _ => None,
        };
        (fact.subject.or(looked_up), looked_up.or(fact.subject))
    }

    /// Takes an exchange in.
    pub fn take(&mut self, fact: &Fact, subject: Option<Key>, retry: bool) {
        self.tally.add(fact, subject, retry);
        if let Some(source) = &fact.source
            && self.sources.len() < SOURCES
            && !self.sources.contains(source)
        {
            self.sources.push(source.clone());
        }
        self.last_kind = ResourceName::of(fact.kind).or(self.last_kind);
        match fact.shape {
            Shape::Legacy => self.legacy += 1,
            Shape::Modern => self.modern += 1,
            Shape::None => {}
        }
        if let Some(subject) = subject {
            push(&mut self.recent, (subject, fact.at));
        }
        if let Action::Lookup(lookup) = &fact.action {
            self.last_lookup = Some(fact.at);
            if let (true, Some(kind), false) =
                (lookup.is_miss(), ResourceName::of(fact.kind), fact.failed())
            {
                push(&mut self.pending, (kind, lookup.value, fact.at));
            }
        }
    }

    /// Takes a lookup in with which a run begins.
    pub fn take_probe(&mut self, fact: &Fact) {
        let Action::Lookup(lookup) = &fact.action else { return };
        let kind = ResourceName::of(fact.kind).unwrap_or(ResourceName::User);
        self.probes.push(Probe {
            attribute: lookup.attribute.clone(),
            kind,
            failed: fact.failed().then_some(fact.status),
        });
        self.take(fact, None, false);
        self.pending.clear();
        self.last_lookup = None;
        self.last_kind = None;
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() == RECENT {
        list.pop_front();
    }
    list.push_back(item);
}
