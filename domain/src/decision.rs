//! What a command comes to, before it is in the log.

use crate::interpretation::Notes;

/// The events that a command leads to, and the liberties that only showed against the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<E> {
    /// What happened, in order. None, if what was asked for is so already.
    pub events: Vec<E>,
    /// Liberties that were taken to decide it.
    pub notes: Notes,
}

impl<E> From<Vec<E>> for Decision<E> {
    fn from(events: Vec<E>) -> Self {
        Self { events, notes: Notes::default() }
    }
}
