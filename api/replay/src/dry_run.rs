//! Dry run: what would exchanges do now? Nothing is written but into the fork, which goes.

use super::error::ReplayError;
use super::feed::{Begin, Feed, Step};
use super::fork::Rule;
use super::line;
use super::objection::{Done, Judged, Objection, judged, refusal};
use super::run::{Lines, Replayer, Told, start};
use super::scratch::{Scratch, Settings};
use super::selection::Selection;
use rollcall_contract::replay::{EventSummary, ExchangeLine, ReplayLine, ReplayResult};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Bodies, ExchangeNumber, Head, RecordedExchange};
use rollcall_door::App;
use rollcall_engine::clock::Clock;
use std::collections::BTreeMap;

/// What is rehearsed.
pub struct DryRun {
    /// Which exchanges.
    pub selection: Selection,
    /// Whether also those that speak against it.
    pub forced: bool,
    /// What the fork is like.
    pub settings: Settings,
}

/// Runs exchanges on a fork at the end of the log, one after another, each on what those before it
/// left there. What apply would refuse is refused here, for the same reason.
pub async fn dry_run(
    app: &App,
    organization: OrganizationId,
    DryRun { selection, forced, settings }: DryRun,
) -> Result<Lines, ReplayError> {
    let (log, clock) = (app.engine.log.clone(), app.engine.clock.clone());
    let head = log.head(organization).await?;
    let judged = judge(app, organization, &selection, head).await?;
    let feed = Feed { log, organization, head, selection, begin: Begin::AtHead };
    let rehearsal = Rehearsal { clock: clock.clone(), forced, judged, done: Done::default() };
    start(feed, settings, clock, rehearsal).map_err(|e| ReplayError::Scratch(e.to_string()))
}

/// What speaks against each of them. Asked before the fork is made: it has none of the views.
async fn judge(
    app: &App,
    organization: OrganizationId,
    selection: &Selection,
    head: Head,
) -> Result<BTreeMap<ExchangeNumber, Judged>, ReplayError> {
    let log = &*app.engine.log;
    let mut all = BTreeMap::new();
    let Some((first, last)) = selection.bounds(log, organization, head).await? else {
        return Ok(all);
    };
    let mut number = first - 1;
    while number < last {
        let page = log.exchanges(organization, number, 100, Bodies::Read).await?;
        let Some(end) = page.last() else { break };
        number = end.number;
        for recorded in page.iter().filter(|x| x.number <= last && selection.takes(x)) {
            all.insert(recorded.number, judged(app, recorded).await?);
        }
    }
    Ok(all)
}

struct Rehearsal {
    clock: Clock,
    forced: bool,
    judged: BTreeMap<ExchangeNumber, Judged>,
    done: Done,
}

impl Replayer for Rehearsal {
    async fn step(
        &mut self,
        scratch: &mut Scratch,
        step: Step,
        told: &mut Told,
    ) -> Result<(), ReplayError> {
        match step {
            Step::Copy(records) => scratch.copy(records).await,
            Step::Exchange(recorded, _) => {
                let line = self.rehearse(scratch, &recorded, told).await;
                told.summary.count(line.result);
                told.tell(ReplayLine::Exchange(line)).await
            }
        }
    }
}

impl Rehearsal {
    async fn rehearse(
        &mut self,
        scratch: &mut Scratch,
        recorded: &RecordedExchange,
        told: &mut Told,
    ) -> ExchangeLine {
        if let Some(why) = line::not_replayed(&recorded.exchange) {
            *told.summary.not_replayed.entry(why).or_default() += 1;
            return line::of(recorded, ReplayResult::NotReplayed).because(why.words());
        }
        let judged = self.judged.get(&recorded.number);
        let insisted = match judged.and_then(|judged| self.done.objection(recorded, judged)) {
            None => None,
            Some(Objection::Unless(why)) if self.forced => Some(why),
            Some(objection) => {
                let why = refusal(&objection);
                return line::of(recorded, ReplayResult::Refused).because(why);
            }
        };
        let ran = scratch.run(&recorded.exchange, self.clock.now(), None, Rule::Anything).await;
        let result = if ran.exchange.answer.status < 400 {
            ReplayResult::Succeeds
        } else {
            ReplayResult::Fails
        };
        if let (ReplayResult::Succeeds, Some(judged)) = (result, judged) {
            self.done.note(recorded, judged);
        }
        let events = ran
            .wish
            .events
            .iter()
            .map(|e| EventSummary { position: None, ..line::event(e) })
            .collect();
        ExchangeLine {
            now: Some(line::answer(&ran.exchange)),
            events,
            reason: insisted,
            ..line::of(recorded, result)
        }
    }
}
