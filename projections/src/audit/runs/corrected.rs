//! Runs as Entra's own log corrects them.
//!
//! The tables hold what was inferred and what was imported; here the one is put over the other, for
//! a stretch of time that no run and no cycle crosses. So it does not matter which came first, and
//! a rebuild of the tables gives the same answers.

use super::imported::{self, Cycles};
use super::inferred::Inferred;
use super::row::{RunExchange, RunRow};
use chrono::{DateTime, Duration, Utc};
use rollcall_domain::ids::{OrganizationId, RunId};
use rollcall_domain::log::ExchangeNumber;
use rollcall_domain::provisioning_log::{Correction, CycleMatch, Initiator, Seen, correct};
use rollcall_domain::run::{Confidence, Evidence, RunKind};
use rollcall_domain::sql::SqlError;
use std::collections::{BTreeMap, BTreeSet};

/// Around what was looked at, so that nothing near it is left out.
const AROUND: Duration = Duration::minutes(10);

/// A stretch of time with everything in it, corrected.
pub(super) struct Stretch {
    /// Runs by their id; those that lost all exchanges are gone.
    pub runs: BTreeMap<RunId, RunRow>,
    /// Exchanges in order, with the runs they belong to.
    pub exchanges: Vec<RunExchange>,
    /// What the correction was made of.
    pub correction: Correction,
}

impl Stretch {
    /// Reads and corrects everything from one instant to another, and what is connected with it.
    pub async fn read(
        inferred: &Inferred,
        organization: OrganizationId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Self, SqlError> {
        let (mut from, mut to) = (from - AROUND, to + AROUND);
        loop {
            let cycles = imported::between(&*inferred.views, organization, from, to).await?;
            let runs = inferred.between(organization, from, to).await?;
            let (first, last) = reach(&cycles, &runs, from, to);
            if (first, last) == (from, to) {
                let exchanges = inferred.exchanges_between(organization, from, to).await?;
                return Ok(Self::new(organization, runs, exchanges, &cycles));
            }
            (from, to) = (first, last);
        }
    }

    fn new(
        organization: OrganizationId,
        runs: Vec<RunRow>,
        mut exchanges: Vec<RunExchange>,
        cycles: &Cycles,
    ) -> Self {
        let seen: Vec<Seen> = exchanges.iter().map(seen).collect();
        let correction = correct(organization, &seen, cycles);
        let mut runs: BTreeMap<RunId, RunRow> = runs.into_iter().map(|run| (run.id, run)).collect();
        let mut touched = BTreeSet::new();
        for exchange in &mut exchanges {
            if let Some(run) = correction.moved.get(&exchange.number) {
                touched.extend([exchange.run, *run]);
                // A run that was not inferred begins as a copy of the one its exchanges were taken
                // for.
                if let (false, Some(former)) = (runs.contains_key(run), runs.get(&exchange.run)) {
                    let made =
                        RunRow { id: *run, place: None, evidence: Vec::new(), ..former.clone() };
                    runs.insert(*run, made);
                }
                exchange.run = *run;
            }
        }
        for id in touched {
            let members: Vec<&RunExchange> = exchanges.iter().filter(|x| x.run == id).collect();
            match runs.get_mut(&id) {
                Some(run) if !members.is_empty() => recount(run, &members),
                _ => _ = runs.remove(&id),
            }
        }
        for known in &correction.cycles {
            if let Some(run) = runs.get_mut(&known.run) {
                confirm(run, known);
            }
        }
        Self { runs, exchanges, correction }
    }

    /// The exchanges of one run, in order.
    pub fn of(&self, run: RunId) -> impl Iterator<Item = &RunExchange> {
        self.exchanges.iter().filter(move |x| x.run == run)
    }

    /// One exchange.
    pub fn exchange(&self, number: ExchangeNumber) -> Option<&RunExchange> {
        let at = self.exchanges.binary_search_by_key(&number, |x| x.number).ok()?;
        self.exchanges.get(at)
    }
}

/// Whether anything imported lies so near to this time that it may say something of it.
pub(super) fn is_near(
    (first, last): (DateTime<Utc>, DateTime<Utc>),
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> bool {
    from - AROUND <= last && to + AROUND >= first
}

/// The stretch that holds these whole.
fn reach(
    cycles: &Cycles,
    runs: &[RunRow],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> (DateTime<Utc>, DateTime<Utc>) {
    let changes = cycles.values().flatten().map(|c| (c.at - AROUND, c.at + AROUND));
    let runs = runs.iter().map(|run| (run.began, run.ended));
    changes
        .chain(runs)
        .fold((from, to), |(from, to), (first, last)| (from.min(first), to.max(last)))
}

fn seen(exchange: &RunExchange) -> Seen {
    Seen {
        number: exchange.number,
        at: exchange.at,
        run: exchange.run,
        subject: exchange.subject.clone(),
        write: exchange.is_write(),
        failed: exchange.status >= 400,
    }
}

/// Counts a run anew from the exchanges it has.
fn recount(run: &mut RunRow, members: &[&RunExchange]) {
    let count =
        |keep: &dyn Fn(&RunExchange) -> bool| members.iter().filter(|x| keep(x)).count() as u64;
    let distinct = |keep: &dyn Fn(&RunExchange) -> bool| {
        members
            .iter()
            .filter(|x| keep(x))
            .filter_map(|x| x.subject.as_deref())
            .collect::<BTreeSet<_>>()
            .len() as u64
    };
    if let (Some(first), Some(last)) = (members.first(), members.last()) {
        (run.first, run.first_exchange, run.last) = (first.number, first.id, last.number);
    }
    run.began = members.iter().map(|x| x.at).min().unwrap_or(run.began);
    run.ended = members.iter().map(|x| x.at).max().unwrap_or(run.ended);
    run.exchanges = members.len() as u64;
    run.operations = BTreeMap::new();
    for exchange in members {
        *run.operations.entry(exchange.operation.clone()).or_default() += 1;
    }
    run.changes = count(&|x| x.positions.is_some());
    run.events =
        members.iter().filter_map(|x| x.positions).map(|(first, last)| last - first + 1).sum();
    run.failures = count(&|x| x.status >= 400);
    run.retries = count(&|x| x.retry);
    run.users = distinct(&|x| x.operation.starts_with("users."));
    run.groups = distinct(&|x| x.operation.starts_with("groups."));
    run.written = distinct(&RunExchange::is_write);
}

/// Says of a run what Entra's log says of its cycle.
fn confirm(run: &mut RunRow, known: &CycleMatch) {
    run.evidence.push(Evidence::Imported { cycle: known.cycle.clone() });
    match known.initiator {
        Some(Initiator::User) => run.kind = RunKind::OnDemand,
        Some(Initiator::Service) if !run.kind.is_cycle() => run.kind = RunKind::Incremental,
        Some(Initiator::Service) => {}
        // It was a run, and these are its exchanges; which kind it was the log does not say.
        None => return,
    }
    run.confidence = Confidence::Confirmed;
}
