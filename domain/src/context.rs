//! What a decision may know besides state and command.

use crate::actor::Actor;
use crate::ids::ExchangeId;
use crate::interpretation::{Interpretation, Notes, Reading};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// Time, actor and cause of one command. The same state, command and context give the same
/// events, byte for byte.
#[derive(Clone, Debug)]
pub struct Context {
    /// The instant of the decision.
    pub now: DateTime<Utc>,
    /// Who asked.
    pub actor: Actor,
    /// The exchange that asked, if one did.
    pub exchange: Option<ExchangeId>,
    refused: BTreeSet<Reading>,
}

impl Context {
    /// A context for one command.
    pub fn new(now: DateTime<Utc>, actor: Actor, exchange: Option<ExchangeId>) -> Self {
        Self { now, actor, exchange, refused: BTreeSet::new() }
    }

    /// The same in which some liberties are not to be taken.
    pub fn refusing(self, refused: BTreeSet<Reading>) -> Self {
        Self { refused, ..self }
    }

    /// The first of these liberties that was not to be taken: nothing may come of the decision.
    pub fn not_permitted(&self, notes: &Notes) -> Option<Interpretation> {
        notes.list().iter().find(|i| self.refused.contains(&i.reading)).cloned()
    }
}
