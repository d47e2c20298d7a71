//! What a decision may know besides state and command.

use crate::actor::Actor;
use crate::ids::ExchangeId;
use crate::interpretation::{Interpretation, Notes, Reading};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Mutex;

/// Time, actor and cause of one command. The same state, command and context give the same
/// events, byte for byte.
#[derive(Debug)]
pub struct Context {
    /// The instant of the decision.
    pub now: DateTime<Utc>,
    /// Who asked.
    pub actor: Actor,
    /// The exchange that asked, if one did.
    pub exchange: Option<ExchangeId>,
    refused: BTreeSet<Reading>,
    notes: Mutex<Notes>,
}

impl Context {
    /// A context for one command.
    pub fn new(now: DateTime<Utc>, actor: Actor, exchange: Option<ExchangeId>) -> Self {
        Self { now, actor, exchange, refused: BTreeSet::new(), notes: Mutex::default() }
    }

    /// The same in which some liberties are not to be taken.
    pub fn refusing(self, refused: BTreeSet<Reading>) -> Self {
        Self { refused, ..self }
    }

    /// The first liberty noted so far that was not to be taken: nothing may come of the decision.
    pub fn not_permitted(&self) -> Option<Interpretation> {
        let notes = self.notes.lock().unwrap_or_else(|e| e.into_inner());
        notes.list().iter().find(|i| self.refused.contains(&i.reading)).cloned()
    }

    /// Keeps the liberties that only showed once the current state was known.
    pub fn note_all(&self, notes: Notes) {
        self.notes.lock().unwrap_or_else(|e| e.into_inner()).merge(notes);
    }

    /// Takes what was noted so far.
    pub fn take_notes(&self) -> Notes {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(|e| e.into_inner()))
    }
}
