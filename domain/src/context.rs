//! What a decision may know besides state and command.

use crate::actor::Actor;
use crate::ids::ExchangeId;
use crate::interpretation::Notes;
use chrono::{DateTime, Utc};
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
    notes: Mutex<Notes>,
}

impl Context {
    /// A context for one command.
    pub fn new(now: DateTime<Utc>, actor: Actor, exchange: Option<ExchangeId>) -> Self {
        Self { now, actor, exchange, notes: Mutex::default() }
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
