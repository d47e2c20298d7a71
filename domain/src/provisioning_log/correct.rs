//! Puts what Entra's log says over the runs that were inferred.

use super::entry::{ImportedChange, ImportedStatus, Initiator};
use crate::ids::{OrganizationId, RunId};
use crate::log::ExchangeNumber;
use chrono::{DateTime, Duration, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// So far apart may Entra's time of a change and ours of its exchanges be.
const APART: Duration = Duration::minutes(3);

/// An exchange as it was inferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub number: ExchangeNumber,
    /// When it came in.
    pub at: DateTime<Utc>,
    /// Its run.
    pub run: RunId,
    /// The resource it was about.
    pub subject: Option<String>,
    /// True if it asked for a change.
    pub write: bool,
    /// True if it was answered with an error.
    pub failed: bool,
}

/// A cycle of Entra's log and the run that stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleMatch {
    /// Entra's id of it.
    pub cycle: String,
    /// The run.
    pub run: RunId,
    /// True if the run was not inferred, but is made of exchanges of others.
    pub new: bool,
    /// Who began it, if the log says so.
    pub initiator: Option<Initiator>,
    /// Changes that Entra names in it.
    pub changes: u64,
    /// Exchanges that were found for them.
    pub exchanges: u64,
}

/// Where the two logs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// Entra says it changed a resource; nothing of that came in.
    NotSeen {
        /// Entra's id of the cycle.
        cycle: String,
        /// What it says.
        change: ImportedChange,
    },
    /// Entra says that it failed; here it was done.
    DoneHere {
        /// Entra's id of the cycle.
        cycle: String,
        /// What it says.
        change: ImportedChange,
        /// The exchange that did it.
        exchange: ExchangeNumber,
    },
    /// Entra says that it was done; here it was refused.
    RefusedHere {
        /// Entra's id of the cycle.
        cycle: String,
        /// What it says.
        change: ImportedChange,
        /// The exchange that was refused.
        exchange: ExchangeNumber,
    },
    /// A change was asked for in a run that Entra's log knows; but it names no such change.
    NotInLog {
        /// Entra's id of the cycle.
        cycle: String,
        /// The exchange.
        exchange: ExchangeNumber,
    },
}

/// What Entra's log says over the inference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// Exchanges that belong to another run than inferred.
    pub moved: BTreeMap<ExchangeNumber, RunId>,
    /// Each cycle with exchanges, and its run.
    pub cycles: Vec<CycleMatch>,
    /// Where the two differ.
    pub mismatches: Vec<Mismatch>,
}

impl Mismatch {
    /// The exchange it is about, if there is one.
    pub fn exchange(&self) -> Option<ExchangeNumber> {
        match self {
            Mismatch::NotSeen { .. } => None,
            Mismatch::DoneHere { exchange, .. }
            | Mismatch::RefusedHere { exchange, .. }
            | Mismatch::NotInLog { exchange, .. } => Some(*exchange),
        }
    }
}

/// The id of the run of a cycle for which none was inferred.
pub fn own_run(organization: OrganizationId, cycle: &str) -> RunId {
    RunId(Uuid::new_v5(&organization.0, format!("cycle {cycle}").as_bytes()))
}

/// Works out what imported cycles say of exchanges, both by time. The same inputs give the same
/// correction, whichever came first.
pub fn correct(
    organization: OrganizationId,
    seen: &[Seen],
    cycles: &BTreeMap<String, Vec<ImportedChange>>,
) -> Correction {
    let found = nearest(seen, cycles);
    let owners = owners(organization, seen, &found);
    let mut correction =
        Correction { moved: moves(seen, &found, &owners), ..Correction::default() };
    let mut counts: HashMap<&str, u64> = HashMap::new();
    found.values().for_each(|(cycle, _)| *counts.entry(cycle).or_default() += 1);
    for (cycle, changes) in cycles {
        let exchanges = counts.get(cycle.as_str()).copied().unwrap_or(0);
        if let Some(owner) = owners.get(cycle.as_str()) {
            let initiator = changes.iter().find_map(|change| change.initiator);
            let (run, new) = *owner;
            correction.cycles.push(CycleMatch {
                cycle: cycle.clone(),
                run,
                new,
                initiator,
                changes: changes.len() as u64,
                exchanges,
            });
        }
    }
    mismatches(seen, cycles, &found, &owners, &mut correction);
    correction
}

/// For each exchange the change it belongs to: about the same resource, and the nearest in time.
type Found<'a> = BTreeMap<ExchangeNumber, (&'a str, &'a ImportedChange)>;

fn nearest<'a>(seen: &[Seen], cycles: &'a BTreeMap<String, Vec<ImportedChange>>) -> Found<'a> {
    let mut by_target: HashMap<&str, Vec<(&str, &ImportedChange)>> = HashMap::new();
    for (cycle, change) in cycles
        .iter()
        .flat_map(|(cycle, changes)| changes.iter().map(move |change| (cycle.as_str(), change)))
    {
        if let Some(target) = &change.target {
            by_target.entry(target).or_default().push((cycle, change));
        }
    }
    let mut found = Found::new();
    for exchange in seen {
        let Some(changes) = exchange.subject.as_deref().and_then(|subject| by_target.get(subject))
        else {
            continue;
        };
        let best =
            changes.iter().min_by_key(|(cycle, change)| (distance(exchange, change), *cycle));
        if let Some((cycle, change)) = best
            && distance(exchange, change) <= APART
        {
            found.insert(exchange.number, (*cycle, *change));
        }
    }
    found
}

/// Time between an exchange and the span in which Entra says it worked on the change.
fn distance(exchange: &Seen, change: &ImportedChange) -> Duration {
    let began = change.at
        - Duration::milliseconds(i64::try_from(change.took_ms).unwrap_or(i64::MAX).min(86_400_000));
    (began - exchange.at).max(exchange.at - change.at).max(Duration::zero())
}

/// The run that stands for each cycle: the one that holds most of its exchanges, and each run for
/// one cycle only. A cycle without one gets a run of its own.
fn owners<'a>(
    organization: OrganizationId,
    seen: &[Seen],
    found: &Found<'a>,
) -> BTreeMap<&'a str, (RunId, bool)> {
    let mut votes: BTreeMap<(&str, RunId), u64> = BTreeMap::new();
    for exchange in seen {
        if let Some((cycle, _)) = found.get(&exchange.number) {
            *votes.entry((cycle, exchange.run)).or_default() += 1;
        }
    }
    let mut ranked: Vec<_> =
        votes.into_iter().map(|((cycle, run), n)| (std::cmp::Reverse(n), cycle, run)).collect();
    ranked.sort();
    let mut owners = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for (_, cycle, run) in &ranked {
        if !owners.contains_key(cycle) && taken.insert(*run) {
            owners.insert(*cycle, (*run, false));
        }
    }
    for (_, cycle, _) in &ranked {
        owners.entry(cycle).or_insert((own_run(organization, cycle), true));
    }
    owners
}

fn moves(
    seen: &[Seen],
    found: &Found,
    owners: &BTreeMap<&str, (RunId, bool)>,
) -> BTreeMap<ExchangeNumber, RunId> {
    let owned: BTreeSet<RunId> = owners.values().map(|(run, _)| *run).collect();
    let mut moved = BTreeMap::new();
    let mut goes_to: BTreeMap<RunId, BTreeSet<Option<RunId>>> = BTreeMap::new();
    for exchange in seen {
        let owner = found.get(&exchange.number).map(|(cycle, _)| owners[cycle].0);
        if let Some(owner) = owner.filter(|owner| *owner != exchange.run) {
            moved.insert(exchange.number, owner);
        }
        if exchange.subject.is_some() && !owned.contains(&exchange.run) {
            goes_to.entry(exchange.run).or_default().insert(owner);
        }
    }
    // A run whose every resource belongs to one cycle is a part of it, lookups included.
    for exchange in seen {
        if let Some(to) = goes_to.get(&exchange.run)
            && let (1, Some(Some(owner))) = (to.len(), to.first())
        {
            moved.insert(exchange.number, *owner);
        }
    }
    moved
}

fn mismatches(
    seen: &[Seen],
    cycles: &BTreeMap<String, Vec<ImportedChange>>,
    found: &Found,
    owners: &BTreeMap<&str, (RunId, bool)>,
    correction: &mut Correction,
) {
    let by_number: HashMap<ExchangeNumber, &Seen> =
        seen.iter().map(|exchange| (exchange.number, exchange)).collect();
    let mut of_change: HashMap<(&str, &str), Vec<&Seen>> = HashMap::new();
    for (number, (cycle, change)) in found {
        of_change.entry((cycle, &change.change)).or_default().extend(by_number.get(number));
    }
    for (cycle, change) in
        cycles.iter().flat_map(|(cycle, changes)| changes.iter().map(move |change| (cycle, change)))
    {
        let exchanges =
            of_change.get(&(cycle.as_str(), change.change.as_str())).map_or(&[][..], Vec::as_slice);
        let last_write = exchanges.iter().filter(|x| x.write).max_by_key(|x| x.number);
        let (cycle, said) = (cycle.clone(), change.clone());
        correction.mismatches.extend(match (change.status, last_write) {
            // What was created names the resource; what failed to be created names none.
            (ImportedStatus::Success, None) if change.action.writes() && exchanges.is_empty() => {
                Some(Mismatch::NotSeen { cycle, change: said })
            }
            (ImportedStatus::Failure, Some(x)) if !x.failed => {
                Some(Mismatch::DoneHere { cycle, change: said, exchange: x.number })
            }
            (ImportedStatus::Success, Some(x)) if x.failed => {
                Some(Mismatch::RefusedHere { cycle, change: said, exchange: x.number })
            }
            _ => None,
        });
    }
    let cycle_of: HashMap<RunId, &str> =
        owners.iter().map(|(cycle, (run, _))| (*run, *cycle)).collect();
    for exchange in seen.iter().filter(|x| x.write && !x.failed && !found.contains_key(&x.number)) {
        let run = correction.moved.get(&exchange.number).unwrap_or(&exchange.run);
        if let Some(cycle) = cycle_of.get(run) {
            correction
                .mismatches
                .push(Mismatch::NotInLog { cycle: (*cycle).to_owned(), exchange: exchange.number });
        }
    }
}
