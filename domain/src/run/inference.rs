//! The fold: one exchange after another, to runs.

use super::fact::{Action, Fact, Key};
use super::lane::Lane;
use super::open::Run;
use super::rhythm::{Pulse, Rhythm};
use super::run_id;
use crate::ids::{OrganizationId, RunId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Two tokens are live at once; a few more are remembered.
const LANES: usize = 8;
/// So many failures wait for their retry.
const FAILED: usize = 256;

/// The state of the inference of one organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inference {
    lanes: Vec<Lane>,
    failed: VecDeque<Failed>,
}

/// What failed, and in which run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Failed {
    what: Key,
    run: RunId,
}

/// What an exchange came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The run it belongs to.
    pub run: RunId,
    /// True if it tried again what failed in an earlier run.
    pub retry: bool,
    /// Runs that ended, or turned out to be something else.
    pub settled: Vec<Run>,
}

impl Inference {
    /// Takes the next exchange in.
    pub fn observe(&mut self, organization: OrganizationId, fact: &Fact) -> Observed {
        let mut settled = self.expire(fact.at);
        let index = self.lane(fact);
        let lane = &mut self.lanes[index];
        let (place, closed) = lane.place(fact, run_id(organization, fact.id));
        settled.extend(closed);
        let failed = &mut self.failed;
        let (run, retry) =
            lane.take(place, fact, |subject, run| note_failure(failed, fact, subject, run));
        Observed { run, retry, settled }
    }

    /// Closes what was silent for too long at an instant.
    pub fn expire(&mut self, at: DateTime<Utc>) -> Vec<Run> {
        let mut settled = Vec::new();
        for index in 0..self.lanes.len() {
            self.succeed(index, at);
            settled.extend(self.lanes[index].expire(at));
        }
        settled
    }

    /// The runs that are open, as they would be judged if nothing came any more.
    pub fn open_runs(&self) -> impl Iterator<Item = Run> {
        self.lanes.iter().flat_map(Lane::open_runs)
    }

    /// The rhythm of the client whose cycle came last.
    pub fn rhythm(&self) -> Option<&Rhythm> {
        self.lanes
            .iter()
            .map(|lane| &lane.rhythm)
            .filter(|r| r.last().is_some())
            .max_by_key(|r| r.last())
    }

    /// The same once all that is open has ended: a cycle counts from its beginning on.
    pub fn rhythm_to_come(&self) -> Option<Rhythm> {
        let mut then = self.clone();
        then.expire(DateTime::<Utc>::MAX_UTC);
        then.rhythm().cloned()
    }

    /// Whether the cycles still come, at an instant.
    pub fn pulse(&self, now: DateTime<Utc>) -> Pulse {
        self.rhythm_to_come().map_or(Pulse::Never, |rhythm| rhythm.pulse(now))
    }

    fn lane(&mut self, fact: &Fact) -> usize {
        if let Some(index) = self.lanes.iter().position(|lane| lane.token == fact.token) {
            return index;
        }
        if self.lanes.len() >= LANES
            && let Some((oldest, _)) = self
                .lanes
                .iter()
                .enumerate()
                .filter(|(_, l)| l.is_idle())
                .min_by_key(|(_, l)| l.last_seen)
        {
            self.lanes.remove(oldest);
        }
        self.lanes.push(Lane::new(fact));
        self.lanes.len() - 1
    }

    /// A token that goes on where another fell silent is the same client with a new token.
    fn succeed(&mut self, index: usize, at: DateTime<Utc>) {
        let lane = &self.lanes[index];
        let Some(began) = lane.first_to_expire(at).filter(|_| lane.rhythm.last().is_none()) else {
            return;
        };
        let goes_on = |other: &&Lane| {
            other.token != lane.token
                && other.last_seen < began
                && other.rhythm.last().is_some_and(|last| other.rhythm.follows(last, began))
        };
        if let Some(other) = self.lanes.iter().find(goes_on).cloned() {
            self.lanes[index].succeed(&other);
        }
    }
}

/// Notes a write that failed, or one that tries it again. True for the latter.
fn note_failure(
    failed: &mut VecDeque<Failed>,
    fact: &Fact,
    subject: Option<Key>,
    run: RunId,
) -> bool {
    let (Action::Create | Action::Patch | Action::Delete, Some(Key(subject))) =
        (&fact.action, subject)
    else {
        return false;
    };
    let what = Key(subject ^ Key::of(&fact.operation).0);
    let before = failed.iter().position(|f| f.what == what);
    let retry = before.is_some_and(|i| failed[i].run != run);
    match (before, fact.failed()) {
        (Some(i), false) => drop(failed.remove(i)),
        (Some(_), true) => {}
        (None, true) => {
            if failed.len() == FAILED {
                failed.pop_front();
            }
            failed.push_back(Failed { what, run });
        }
        (None, false) => {}
    }
    retry
}
