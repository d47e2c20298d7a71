//! Dry run: what would exchanges do now? Nothing is written but into the fork, which goes.

use super::error::ReplayError;
use super::feed::{Begin, Feed, Step};
use super::fork::Rule;
use super::line;
use super::run::{Lines, Replayer, Told, start};
use super::scratch::{Scratch, Settings};
use super::selection::Selection;
use rollcall_contract::replay::{EventSummary, ExchangeLine, ReplayLine, ReplayResult};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Log, RecordedExchange};
use rollcall_engine::clock::Clock;
use std::sync::Arc;

/// Runs exchanges on a fork at the end of the log, one after another, each on what those before it
/// left there.
pub async fn dry_run(
    log: Arc<dyn Log>,
    organization: OrganizationId,
    selection: Selection,
    settings: Settings,
    clock: Clock,
) -> Result<Lines, ReplayError> {
    let head = log.head(organization).await?;
    let feed = Feed { log, organization, head, selection, begin: Begin::AtHead };
    start(feed, settings, clock.clone(), Rehearsal { clock })
        .map_err(|e| ReplayError::Scratch(e.to_string()))
}

struct Rehearsal {
    clock: Clock,
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
        &self,
        scratch: &mut Scratch,
        recorded: &RecordedExchange,
        told: &mut Told,
    ) -> ExchangeLine {
        if let Some(why) = line::not_replayed(&recorded.exchange) {
            *told.summary.not_replayed.entry(why).or_default() += 1;
            return line::of(recorded, ReplayResult::NotReplayed).because(why.words());
        }
        let ran = scratch.run(&recorded.exchange, self.clock.now(), None, Rule::Anything).await;
        let result = if ran.exchange.answer.status < 400 {
            ReplayResult::Succeeds
        } else {
            ReplayResult::Fails
        };
        let events = ran
            .wish
            .events
            .iter()
            .map(|e| EventSummary { position: None, ..line::event(e) })
            .collect();
        ExchangeLine {
            now: Some(line::answer(&ran.exchange)),
            events,
            ..line::of(recorded, result)
        }
    }
}
