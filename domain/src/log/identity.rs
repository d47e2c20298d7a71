//! A log has an identity: its epoch, and where each organization's log was last seen to end. What a
//! process knows of it is held against what it finds, so that a log that went backwards, or another
//! one in its place, is noticed before anything is answered by it.

use super::trouble::Trouble;
use crate::ids::{ExchangeId, OrganizationId};
use crate::record::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Where an organization's log was seen to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Its last position.
    pub position: Position,
    /// Its last exchange's number.
    pub exchange_number: ExchangeNumber,
    /// The id of that exchange; none if there is none, or if it is not known.
    pub last_exchange: Option<ExchangeId>,
}

/// What a log says of itself where something is known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Where it ends now.
    pub end: Mark,
    /// The exchange under the number that was the last one known; none if nobody looked, or if
    /// there is none.
    pub at_known: Option<ExchangeId>,
}

/// What a process knows of a log, as it is kept over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Which log it is.
    pub epoch: Option<Uuid>,
    /// Where each organization's log ended.
    pub marks: BTreeMap<OrganizationId, Mark>,
}

/// Why nothing may be served by a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// Its epoch is another.
    #[error(
        "this is another log (epoch {found}) than the one that was served from here (epoch {known}): put that one back, or let this one count with `rollcall log accept --because`"
    )]
    AnotherLog {
        /// The epoch that was known.
        known: Uuid,
        /// The one that was found.
        found: Uuid,
    },
    /// It ends before what was known of it.
    #[error(
        "the log went backwards: {organization} had position {} and exchange {}, and ends at {} and {} now: put the newer log back, or accept the loss with `rollcall log accept --because`",
        known.position, known.exchange_number, found.position, found.exchange_number
    )]
    WentBack {
        /// Whose log.
        organization: OrganizationId,
        /// Where it was known to end.
        known: Head,
        /// Where it ends.
        found: Head,
    },
    /// It has another exchange in the place of one that was known.
    #[error(
        "the log has another history: exchange {number} of {organization} is not the one that was answered: put the log of before back, or accept this one with `rollcall log accept --because`"
    )]
    AnotherHistory {
        /// Whose log.
        organization: OrganizationId,
        /// The number of the exchange.
        number: ExchangeNumber,
    },
    /// Its file is a copy that was made while the original was open.
    #[error(
        "log.db is a copy that was made while its original was in use: go on with the original, or let the copy count with `rollcall log accept --because`"
    )]
    Copied,
    /// Its file is gone, or another one is in its place, while it is open.
    #[error(
        "log.db was removed or replaced while it was in use: stop the server, put the file back, and start again"
    )]
    Replaced,
    /// A backup is being put into it, or that was broken off.
    #[error(
        "a backup is being put into this log, or that was broken off: finish it with `rollcall restore --resume`, or give it up with `rollcall restore --discard`"
    )]
    Restoring,
}

impl Closed {
    /// A stable word for each kind, for metrics and programs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::AnotherLog { .. } => "another-log",
            Self::WentBack { .. } => "went-back",
            Self::AnotherHistory { .. } => "another-history",
            Self::Copied => "copied",
            Self::Replaced => "replaced",
            Self::Restoring => "restoring",
        }
    }

    /// All of the words.
    pub const WORDS: [&'static str; 6] =
        ["another-log", "went-back", "another-history", "copied", "replaced", "restoring"];

    /// What anybody may be told: without a word of whose log it is.
    pub fn to_strangers(&self) -> &'static str {
        match self {
            Self::Restoring => {
                "a backup is being put in place: nothing is served before it is whole; try again later"
            }
            Self::AnotherLog { .. }
            | Self::WentBack { .. }
            | Self::AnotherHistory { .. }
            | Self::Copied
            | Self::Replaced => {
                "the log is not the one that was known: nothing is served before an operator has looked at it; try again later"
            }
        }
    }

    /// Whether an operator can let the log count as it is. What is written into a file that is gone
    /// is lost with the process.
    pub fn can_be_accepted(&self) -> bool {
        !matches!(self, Self::Replaced | Self::Restoring)
    }
}

/// The name of the note that says that a backup is being put into the log.
pub const RESTORING: &str = "restoring";

/// The name of the note that says by which epoch another one is followed.
pub fn successor_of(epoch: Uuid) -> String {
    format!("successor/{epoch}")
}

/// What one process knows of its log. What was noticed stays noticed until an operator accepts it.
#[derive(Debug, Default)]
pub struct Watch(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: Known,
    closed: Option<Closed>,
    /// An operator has accepted the log, and what rests on it is being made anew.
    accepting: bool,
    /// What became of the last append.
    trouble: Option<Trouble>,
}

impl Watch {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is complete before the guard goes.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What became of an append, or of a probe that writes as one: none if all went well.
    pub fn came_to(&self, trouble: Option<Trouble>) {
        self.state().trouble = trouble;
    }

    /// Why the last append could not be made, if it could not.
    pub fn trouble(&self) -> Option<Trouble> {
        self.state().trouble
    }

    /// What is known now.
    pub fn known(&self) -> Known {
        self.state().known.clone()
    }

    /// What is known of one organization's log. To be asked **before** the log is: what it says
    /// afterwards must not be less.
    pub fn mark(&self, organization: OrganizationId) -> Option<Mark> {
        self.state().known.marks.get(&organization).copied()
    }

    /// Knows this from now on, where nothing is known.
    pub fn remember(&self, known: Known) {
        self.state().known = known;
    }

    /// What was noticed, also while it is being accepted: nothing may be served by the log.
    pub fn closed(&self) -> Option<Closed> {
        self.state().closed
    }

    /// An error if the log must not be used.
    ///
    /// # Errors
    /// What was noticed.
    pub fn check(&self) -> Result<(), Closed> {
        let state = self.state();
        match state.closed {
            Some(why) if !state.accepting => Err(why),
            _ => Ok(()),
        }
    }

    /// Notices that the log is not the one that was known. The first that is noticed counts.
    pub fn notice(&self, why: Closed) {
        let mut state = self.state();
        if state.closed.is_none() {
            state.closed = Some(why);
        }
    }

    /// Compares an epoch that was found; learns it if none is known.
    ///
    /// # Errors
    /// If the log is not the one that was known, now or before.
    pub fn epoch(&self, found: Uuid) -> Result<(), Closed> {
        let known = *self.state().known.epoch.get_or_insert(found);
        if known != found {
            self.notice(Closed::AnotherLog { known, found });
        }
        self.check()
    }

    /// Compares what was found of one organization's log with what was known of it before the log
    /// was asked, and learns where it ends now.
    ///
    /// # Errors
    /// If the log is not the one that was known, now or before.
    pub fn compare(
        &self,
        organization: OrganizationId,
        known: Option<Mark>,
        found: Found,
    ) -> Result<(), Closed> {
        if let Some(why) = known.and_then(|known| differs(organization, known, found)) {
            self.notice(why);
        }
        self.check()?;
        self.learn(organization, found.end);
        Ok(())
    }

    /// Learns where an organization's log ends, unless it is known to be further.
    pub fn learn(&self, organization: OrganizationId, end: Mark) {
        let mut state = self.state();
        let known = state.known.marks.entry(organization).or_default();
        if end.position >= known.position && end.exchange_number >= known.exchange_number {
            let same = end.exchange_number == known.exchange_number;
            let kept = known.last_exchange.filter(|_| same);
            *known = Mark { last_exchange: end.last_exchange.or(kept), ..end };
        }
    }

    /// Begins to let the log count as it is: forgets what was known, and gives it with what had
    /// been noticed. It stays closed to everybody else until [`Self::accepted`]. None if nothing
    /// was noticed, or this is under way.
    pub fn accept(&self) -> Option<(Closed, Known)> {
        let mut state = self.state();
        let closed = state.closed.filter(|_| !state.accepting)?;
        state.accepting = true;
        Some((closed, std::mem::take(&mut state.known)))
    }

    /// Forgets what is known, while the log is being accepted.
    pub fn forget(&self) {
        self.state().known = Known::default();
    }

    /// Ends accepting. If it failed the log stays closed, what was known of it is known again, and
    /// it can be accepted again.
    pub fn accepted(&self, failed: Option<Known>) {
        let mut state = self.state();
        state.accepting = false;
        match failed {
            Some(known) => state.known = known,
            None => state.closed = None,
        }
    }
}

fn differs(organization: OrganizationId, known: Mark, found: Found) -> Option<Closed> {
    let head = |mark: Mark| Head { position: mark.position, exchange_number: mark.exchange_number };
    let end = found.end;
    if end.position < known.position || end.exchange_number < known.exchange_number {
        return Some(Closed::WentBack { organization, known: head(known), found: head(end) });
    }
    let same = end.exchange_number == known.exchange_number;
    let there = if same { end.last_exchange } else { found.at_known };
    match (known.last_exchange, there) {
        (Some(known_id), Some(there)) if known_id != there => {
            Some(Closed::AnotherHistory { organization, number: known.exchange_number })
        }
        // One that cannot be read is a hole in the evidence, and no other log.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: OrganizationId = OrganizationId(Uuid::from_u128(1));

    fn mark(position: u64, number: u64, id: u128) -> Mark {
        let last_exchange = (id > 0).then_some(ExchangeId(Uuid::from_u128(id)));
        Mark { position, exchange_number: number, last_exchange }
    }

    /// Every way in which what is found can stand to what is known.
    #[test]
    fn a_log_may_go_on_and_nothing_else() {
        let known = mark(5, 7, 70);
        let id = |id: u128| Some(ExchangeId(Uuid::from_u128(id)));
        for (found, at_known, expected) in [
            (mark(5, 7, 70), None, None),
            (mark(5, 7, 0), None, None),
            (mark(6, 7, 70), None, None),
            (mark(5, 8, 80), id(70), None),
            (mark(9, 9, 90), id(70), None),
            (mark(9, 9, 90), None, None),
            (mark(4, 7, 70), None, Some("went-back")),
            (mark(5, 6, 60), None, Some("went-back")),
            (mark(4, 9, 90), id(70), Some("went-back")),
            (mark(9, 6, 60), None, Some("went-back")),
            (mark(0, 0, 0), None, Some("went-back")),
            (mark(5, 7, 71), None, Some("another-history")),
            (mark(6, 7, 71), None, Some("another-history")),
            (mark(9, 9, 90), id(71), Some("another-history")),
        ] {
            let watch = Watch::default();
            watch.learn(ONE, known);
            let found = Found { end: found, at_known };
            let told = watch.compare(ONE, watch.mark(ONE), found);
            assert_eq!(told.err().map(|why| why.as_str()), expected, "{found:?}");
            assert_eq!(watch.closed().map(|why| why.as_str()), expected, "it stays");
            let end = watch.mark(ONE).unwrap();
            match expected {
                None => assert!(end.position >= 5 && end.exchange_number >= 7),
                Some(_) => assert_eq!(end, known, "nothing is learnt from another log"),
            }
        }
    }

    #[test]
    fn what_was_read_before_others_wrote_is_no_step_back() {
        let watch = Watch::default();
        watch.learn(ONE, mark(5, 7, 70));
        let before = watch.mark(ONE);
        watch.learn(ONE, mark(6, 8, 80));
        let slow = Found { end: mark(5, 7, 70), at_known: None };
        watch.compare(ONE, before, slow).unwrap();
        assert_eq!(watch.mark(ONE), Some(mark(6, 8, 80)), "and nothing is unlearnt");
    }

    #[test]
    fn what_is_accepted_is_closed_until_all_that_rests_on_it_is_made_anew() {
        let watch = Watch::default();
        watch.epoch(Uuid::from_u128(1)).unwrap();
        watch.epoch(Uuid::from_u128(2)).unwrap_err();
        watch.epoch(Uuid::from_u128(1)).unwrap_err();
        let (_, known) = watch.accept().unwrap();
        assert!(watch.accept().is_none(), "it is under way");
        watch.epoch(Uuid::from_u128(2)).unwrap();
        assert!(watch.closed().is_some());
        watch.accepted(Some(known));
        watch.epoch(Uuid::from_u128(2)).unwrap_err();
        assert!(watch.accept().is_some());
        watch.accepted(None);
        assert_eq!((watch.closed(), watch.check()), (None, Ok(())));
    }
}
