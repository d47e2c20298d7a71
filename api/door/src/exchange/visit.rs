//! An exchange of `/api/v1` on its way through a handler: what it is, and who calls, is found out
//! while it is served.

use super::trace::found;
use super::{Closing, Kept, Opened};
use crate::strangers::Source;
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::{Answer, Exchange, Protocol};
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::Position;
use rollcall_engine::Visible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle to an open exchange, for whoever serves it.
#[derive(Clone)]
pub struct Visit(Arc<Mutex<State>>);

struct State {
    opened: Opened,
    kept: Kept,
    /// The position that the answer rests on, if it rests on one.
    at: Option<Position>,
}

impl Visit {
    /// An exchange that was opened just now.
    pub fn new(opened: Opened) -> Self {
        Self(Arc::new(Mutex::new(State { opened, kept: Kept::default(), at: None })))
    }

    /// Says what is asked, such as `organizations.create`.
    pub fn name(&self, protocol: Protocol, operation: &'static str) {
        let opened = &mut self.state().opened;
        (opened.protocol, opened.operation) = (protocol, operation);
        found(opened);
    }

    /// Says who calls.
    pub fn caller(&self, actor: Actor) {
        self.state().opened.caller = actor;
    }

    /// Says in whose log it is kept.
    pub fn organization(&self, organization: OrganizationId) {
        self.state().opened.organization = organization;
    }

    /// The exchange as it goes into the log with the events that it caused, if that comes to be.
    pub fn sealed(&self, organization: OrganizationId, status: u16) -> Exchange {
        self.organization(organization);
        self.state().opened.close(Closing::with(answered(status), Vec::new()))
    }

    /// It is in the log, and every reader sees what became of it: at this position.
    pub fn is_in_the_log<T>(&self, done: &Visible<T>) {
        let mut state = self.state();
        (state.kept, state.at) = (Kept::InAppend, Some(done.at()));
    }

    /// Every reader sees what the answer will be made of: the views are at this position, or further.
    pub fn rests_on(&self, position: Position) {
        let mut state = self.state();
        state.at = state.at.max(Some(position));
    }

    /// The position that the answer rests on, if it rests on one.
    pub fn position(&self) -> Option<Position> {
        self.state().at
    }

    /// It gave nothing to anybody: it is counted, so that who asks often does not fill the disk.
    pub fn gave_nothing(&self) {
        self.state().kept = Kept::CountOnly;
    }

    /// Its id.
    pub fn id(&self) -> ExchangeId {
        self.state().opened.id
    }

    /// Where it comes from.
    pub fn from(&self) -> Source {
        self.state().opened.from()
    }

    /// What it has come to.
    pub fn into_parts(self) -> (Opened, Kept) {
        let state = self.state();
        (state.opened.clone(), state.kept)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer of which nothing is kept but that it was given: what was issued is a secret.
fn answered(status: u16) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        rule: None,
        scim_type: None,
        detail: None,
        body_bytes: 0,
        body_kept: false,
        found: None,
    }
}
