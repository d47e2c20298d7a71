//! One client: the runs it has open, and what is known of it.

use super::SILENCE;
use super::classify::{Client, Verdict, classify};
use super::distinct::Distinct;
use super::evidence::Evidence;
use super::fact::{Action, Fact, Key, Shape};
use super::kind::{Confidence, RunKind};
use super::open::{Open, ResourceName, Run};
use super::rhythm::Rhythm;
use crate::ids::{RunId, TokenId};
use crate::scim::ResourceKind;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

/// A run that was silent so long when the next lookup for a random GUID came is over.
const BREATH: Duration = Duration::seconds(45);
/// A client is never followed in more runs at once.
const AT_ONCE: usize = 6;

/// One client, named by its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lane {
    pub token: TokenId,
    pub rhythm: Rhythm,
    pub last_seen: DateTime<Utc>,
    /// Resources it ever touched.
    known: Distinct,
    probes: bool,
    legacy: u64,
    modern: u64,
    runs: Vec<Open>,
    tentative: Option<Tentative>,
}

/// Where an exchange belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    run: usize,
    /// True for a lookup with which a run begins.
    begins: bool,
}

/// The last small run: what it was may show only once the next one has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tentative {
    run: Run,
    /// The rhythm without it.
    before: Rhythm,
}

impl Lane {
    pub fn new(fact: &Fact) -> Self {
        Self {
            token: fact.token,
            rhythm: Rhythm::default(),
            last_seen: fact.at,
            known: Distinct::default(),
            probes: false,
            legacy: 0,
            modern: 0,
            runs: Vec::new(),
            tentative: None,
        }
    }

    pub fn is_idle(&self) -> bool {
        self.runs.is_empty()
    }

    /// Takes over what is known of a client whose token was changed.
    pub fn succeed(&mut self, other: &Lane) {
        self.rhythm = other.rhythm.clone();
        self.known.join(&other.known);
        (self.legacy, self.modern) = (self.legacy + other.legacy, self.modern + other.modern);
    }

    /// When the run began that [`Self::expire`] will close first.
    pub fn first_to_expire(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.runs.iter().find(|run| run.quiet(at) > SILENCE).map(|run| run.tally.began)
    }

    /// Closes the runs that were silent for too long.
    pub fn expire(&mut self, at: DateTime<Utc>) -> Vec<Run> {
        let mut closed = Vec::new();
        while let Some(i) = self.runs.iter().position(|run| run.quiet(at) > SILENCE) {
            closed.extend(self.close(i));
        }
        closed
    }

    /// Finds the run of an exchange; opens one with the id `fresh` where there is none. Gives its
    /// place and the runs that were closed by it.
    pub fn place(&mut self, fact: &Fact, fresh: RunId) -> (Place, Vec<Run>) {
        self.last_seen = self.last_seen.max(fact.at);
        match fact.shape {
            Shape::Legacy => self.legacy += 1,
            Shape::Modern => self.modern += 1,
            Shape::None => {}
        }
        let mut closed = Vec::new();
        if self.runs.len() >= AT_ONCE {
            closed.extend(self.close(0));
        }
        let begins = self.is_probe(fact);
        let run = match &fact.action {
            Action::Foreign => self.of_stranger(fact, fresh),
            Action::Page => self.of_listing(fact, fresh),
            _ if begins => self.of_probe(fact, fresh, &mut closed),
            _ => self.of_follower(fact, fresh, &mut closed),
        };
        (Place { run, begins }, closed)
    }

    /// Takes an exchange into the run at a place. Gives the run, and whether `retry` says that it
    /// tries something again.
    pub fn take(
        &mut self,
        place: Place,
        fact: &Fact,
        retry: impl FnOnce(Option<Key>, RunId) -> bool,
    ) -> (RunId, bool) {
        let run = &mut self.runs[place.run];
        if place.begins {
            self.probes = true;
            run.take_probe(fact);
            return (run.id, false);
        }
        let (subject, lasting) = run.subject_of(fact);
        let retry = retry(lasting, run.id);
        run.take(fact, subject, retry);
        (run.id, retry)
    }

    /// The runs that are open, as they would be judged if nothing came any more.
    pub fn open_runs(&self) -> impl Iterator<Item = Run> {
        self.runs.iter().map(|open| self.shown(open.clone(), true))
    }

    /// Whether an exchange is a lookup with which a run begins. Object ids are GUIDs, so a lookup
    /// of an external id may be the match of a new user: then only one after silence counts.
    fn is_probe(&self, fact: &Fact) -> bool {
        let rested = |run: &Open| {
            run.quiet(fact.at) >= BREATH
                || run.is_small()
                    && run.tally.subjects() > 0
                    && run.quiet(fact.at) >= Duration::seconds(3)
        };
        fact.is_plain_probe() || fact.is_possible_probe() && self.runs.iter().all(rested)
    }

    fn open(&mut self, fact: &Fact, fresh: RunId) -> usize {
        self.runs.push(Open::new(fresh, fact));
        self.runs.len() - 1
    }

    fn of_stranger(&mut self, fact: &Fact, fresh: RunId) -> usize {
        let same = |run: &Open| {
            run.foreign.is_some() && (fact.source.is_none() || run.has_source(&fact.source))
        };
        match self.runs.iter().position(same) {
            Some(place) => place,
            None => {
                let place = self.open(fact, fresh);
                self.runs[place].foreign = Some(fact.operation.clone());
                place
            }
        }
    }

    fn of_listing(&mut self, fact: &Fact, fresh: RunId) -> usize {
        match self.runs.iter().position(|run| run.paging) {
            Some(place) => place,
            None => {
                let place = self.open(fact, fresh);
                self.runs[place].paging = true;
                place
            }
        }
    }

    fn of_probe(&mut self, fact: &Fact, fresh: RunId, closed: &mut Vec<Run>) -> usize {
        let kind = ResourceName::of(fact.kind);
        let one_more = |run: &Open| {
            run.is_only_probes()
                && run.quiet(fact.at) < BREATH
                && run.probes.iter().all(|p| Some(p.kind) != kind)
        };
        if let Some(place) = self.runs.iter().rposition(one_more) {
            return place;
        }
        let mut beside = None;
        while let Some(newest) = self.runs.iter().rposition(is_of_entra) {
            let run = &self.runs[newest];
            let next_is_due = (fact.at - run.tally.began) * 4 >= self.rhythm.usual() * 3;
            let was_a_cycle = !run.is_small()
                || !run.inside && self.rhythm.is_due(run.tally.began).unwrap_or(false);
            let over = run.quiet(fact.at) >= BREATH
                || !was_a_cycle
                || next_is_due && run.quiet(fact.at) >= Duration::seconds(5);
            if !over {
                beside = Some(next_is_due && run.last_kind == Some(ResourceName::Group));
                break;
            }
            closed.extend(self.close(newest));
        }
        let place = self.open(fact, fresh);
        self.runs[place].inside = beside.is_some();
        self.runs[place].may_replace = beside.unwrap_or(false);
        place
    }

    fn of_follower(&mut self, fact: &Fact, fresh: RunId, closed: &mut Vec<Run>) -> usize {
        let of_entra: Vec<usize> =
            (0..self.runs.len()).filter(|i| is_of_entra(&self.runs[*i])).collect();
        let strange = |run: &Open| run.foreign.is_some() && run.has_source(&fact.source);
        if let Some(place) = self.runs.iter().position(strange)
            && of_entra.iter().all(|i| !self.runs[*i].has_source(&fact.source))
        {
            return place;
        }
        match of_entra.as_slice() {
            [] => self.open(fact, fresh),
            [only] => *only,
            [main, beside @ ..] => {
                let (main, beside) = (*main, beside.to_vec());
                if let Some(place) = self.beside(fact, main, &beside) {
                    return place;
                }
                let next = beside.iter().copied().find(|i| self.runs[*i].may_replace);
                if let (Some(next), Some(ResourceKind::User)) = (next, fact.kind) {
                    // The groups come last in a cycle: users again are the next cycle's.
                    self.runs[next].inside = false;
                    closed.extend(self.close(main));
                    return next - 1;
                }
                main
            }
        }
    }

    /// The run beside the main one that an exchange belongs to, if it does.
    fn beside(&mut self, fact: &Fact, main: usize, beside: &[usize]) -> Option<usize> {
        let all = || beside.iter().rev().copied().chain([main]);
        let with_source: Vec<usize> =
            all().filter(|i| self.runs[*i].has_source(&fact.source)).collect();
        if let [only] = with_source.as_slice()
            && (*only == main
                || beside.iter().all(|i| {
                    self.runs[*i].sources.iter().all(|s| !self.runs[main].sources.contains(s))
                }))
        {
            self.runs[*only].own_source |= *only != main;
            return Some(*only).filter(|i| *i != main);
        }
        if let Some(subject) = fact.subject
            && let Some((_, place)) =
                all().filter_map(|i| Some((self.runs[i].touched(subject, fact.at)?, i))).max()
        {
            return Some(place).filter(|i| *i != main);
        }
        if fact.action == Action::Create {
            let oldest = all()
                .filter_map(|i| Some((self.runs[i].awaits_create(fact.kind, fact.at)?, i)))
                .min();
            return oldest.map(|(_, i)| i).filter(|i| *i != main);
        }
        let newest = *beside.last()?;
        if fact.shape == Shape::Legacy
            && self.is_flagged()
            && self.runs[newest].tally.written.is_empty()
        {
            return Some(newest);
        }
        let Action::Lookup(_) = fact.action else { return None };
        let run = &self.runs[newest];
        let soon = run.quiet(fact.at) <= Duration::seconds(30);
        let main_looks_up =
            self.runs[main].last_lookup.is_some_and(|at| fact.at - at <= Duration::seconds(30));
        // On demand begins with one match; a group brings those of its members along.
        let begins = run.is_only_probes() && run.pending_is_empty();
        let goes_on =
            !main_looks_up && run.tally.groups.count() == 1 && run.tally.users.count() < 5;
        (soon && (begins || goes_on)).then_some(newest)
    }

    fn is_flagged(&self) -> bool {
        self.modern > self.legacy
    }

    fn client(&self) -> Client<'_> {
        Client {
            rhythm: &self.rhythm,
            known: self.known.count(),
            probes: self.probes,
            flagged: self.is_flagged(),
        }
    }

    fn shown(&self, open: Open, still: bool) -> Run {
        let Verdict { kind, confidence, evidence } = classify(&open, &self.client());
        let place = self.rhythm.place(open.tally.began);
        Run {
            id: open.id,
            kind,
            confidence,
            evidence,
            open: still,
            token: self.token,
            sources: open.sources,
            tally: open.tally,
            place,
        }
    }

    /// Closes a run, and corrects the one before if this one tells what that was.
    fn close(&mut self, index: usize) -> Vec<Run> {
        let open = self.runs.remove(index);
        let mut changed = Vec::new();
        changed.extend(self.reconsider(&open));
        let small = open.is_small();
        let inside = open.inside;
        let run = self.shown(open, false);
        let before = self.rhythm.clone();
        if run.kind.is_cycle() && !run.evidence.contains(&Evidence::NoProbe) {
            self.rhythm.note(run.tally.began);
        }
        if !matches!(run.kind, RunKind::OtherClient | RunKind::AccountDiscovery) {
            self.known.join(&run.tally.users);
            self.known.join(&run.tally.groups);
            let decided = run.kind.is_cycle() && !small;
            if decided {
                self.tentative = None;
            } else if !inside && (run.kind.is_cycle() || before.last().is_none()) {
                self.tentative = Some(Tentative { run: run.clone(), before });
            }
        }
        changed.push(run);
        changed
    }

    /// Whether the small run before was something else, now that this one has come.
    fn reconsider(&mut self, next: &Open) -> Option<Run> {
        if next.inside || next.probes.is_empty() {
            return None;
        }
        let Tentative { mut run, before } = self.tentative.take()?;
        let (then, now) = (run.tally.began, next.tally.began);
        let nothing_in_it = run.tally.subjects() == 0;
        match before.last() {
            None if self.rhythm.last().is_none()
                && next.is_small()
                && before.follows(then, now) =>
            {
                run.kind = if nothing_in_it { RunKind::Incremental } else { RunKind::Initial };
                run.evidence.push(Evidence::NextFollows);
                self.rhythm.note(then);
            }
            Some(last) if run.kind.is_cycle() && (now - then) * 4 < self.rhythm.usual() * 3 => {
                let expected = last + before.next_gap();
                let nearer =
                    (now - expected).abs() + Duration::seconds(60) < (then - expected).abs();
                if next.is_small() && !nearer {
                    self.tentative = Some(Tentative { run, before });
                    return None;
                }
                run.kind = if nothing_in_it { RunKind::ConnectionTest } else { RunKind::OnDemand };
                run.evidence.push(Evidence::NextFitsBetter);
                self.rhythm = before;
            }
            _ => {
                // A run that is no cycle does not settle it either.
                self.tentative = Some(Tentative { run, before });
                return None;
            }
        }
        run.confidence = Confidence::Medium;
        Some(run)
    }
}

fn is_of_entra(run: &Open) -> bool {
    run.foreign.is_none() && !run.paging
}
