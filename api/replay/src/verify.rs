//! Verify: the same exchanges give the same events, byte for byte, or the difference is shown.

use super::compare::compare;
use super::error::ReplayError;
use super::feed::{Begin, Feed, Step};
use super::fork;
use super::line;
use super::rules::{Rule, given_names, rules};
use super::run::{Lines, Replayer, Told, start};
use super::scratch::{Scratch, Settings};
use super::selection::Selection;
use rollcall_contract::replay::{ExchangeLine, NotReplayed, ReplayLine, ReplayResult};
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_domain::log::{Log, Record, RecordedExchange};
use rollcall_engine::clock::Clock;
use std::collections::HashMap;
use std::sync::Arc;

/// Replays exchanges of a log and compares. With `all`, every exchange has its line; else those
/// that differ and those that could not be replayed.
pub async fn verify(
    log: Arc<dyn Log>,
    organization: OrganizationId,
    selection: Selection,
    settings: Settings,
    clock: Clock,
    all: bool,
) -> Result<Lines, ReplayError> {
    let head = log.head(organization).await?;
    let verifier = Verifier { log: log.clone(), organization, all, bulks: HashMap::new() };
    let feed = Feed { log, organization, head, selection, begin: Begin::BeforeFirst };
    start(feed, settings, clock, verifier).map_err(|e| ReplayError::Scratch(e.to_string()))
}

struct Verifier {
    log: Arc<dyn Log>,
    organization: OrganizationId,
    all: bool,
    /// Bulk requests whose operations came by, until they come by themselves; and how many did.
    bulks: HashMap<ExchangeId, u64>,
}

impl Replayer for Verifier {
    async fn step(
        &mut self,
        scratch: &mut Scratch,
        step: Step,
        told: &mut Told,
    ) -> Result<(), ReplayError> {
        match step {
            Step::Copy(records) => {
                let of_none = records.iter().filter(|r| r.exchange.is_none()).count() as u64;
                told.summary.records_of_no_exchange += of_none;
                told.summary.records_of_others += records.len() as u64 - of_none;
                scratch.copy(records).await
            }
            Step::Exchange(recorded, caused) => {
                self.exchange(scratch, *recorded, caused, told).await
            }
        }
    }

    async fn end(&mut self, told: &mut Told) -> Result<(), ReplayError> {
        for (bulk, operations) in self.bulks.drain() {
            // What was selected may end before it.
            if self.log.exchange(self.organization, bulk).await?.is_none() {
                told.summary.unrecorded_bulks.insert(bulk.0, operations);
            }
        }
        Ok(())
    }
}

impl Verifier {
    async fn exchange(
        &mut self,
        scratch: &mut Scratch,
        recorded: RecordedExchange,
        caused: Vec<Record>,
        told: &mut Told,
    ) -> Result<(), ReplayError> {
        if let Some(bulk) = recorded.exchange.parent {
            *self.bulks.entry(bulk).or_default() += 1;
        }
        if let Some(why) = self.not_replayed(&recorded) {
            *told.summary.not_replayed.entry(why).or_default() += 1;
            told.summary.count(ReplayResult::NotReplayed);
            told.summary.records_of_others += caused.len() as u64;
            if !caused.is_empty() {
                scratch.copy(caused).await?;
            }
            let quiet = matches!(why, NotReplayed::ByItsParts | NotReplayed::OtherProtocol);
            if self.all || !quiet {
                let line = line::of(&recorded, ReplayResult::NotReplayed).because(why.words());
                told.tell(ReplayLine::Exchange(line)).await?;
            }
            return Ok(());
        }
        let exchange = &recorded.exchange;
        // All events of an exchange are of one decision; without events its time shows nowhere.
        let at = caused.first().map_or(exchange.received_at, |r| r.recorded_at);
        let settled = exchange.subject.as_deref().and_then(|s| s.parse::<ResourceId>().ok());
        let ran = scratch.run(exchange, at, settled, fork::Rule::Exactly(caused.clone())).await;
        let (same_events, differences) = compare(exchange, &caused, &ran);
        let result = match (same_events, differences.is_empty()) {
            (false, _) => ReplayResult::EventsDiffer,
            (true, false) => ReplayResult::AnswerDiffers,
            (true, true) => ReplayResult::Same,
        };
        told.summary.count(result);
        let mut by = Vec::new();
        if result != ReplayResult::Same {
            let given = given_names(&caused);
            let others = scratch.names_like(&given).await?;
            by = rules(exchange, &ran, &others, &given).into_iter().map(Rule::name).collect();
            told.summary.explain(result, &by);
        }
        let counted = if same_events {
            &mut told.summary.records_same
        } else {
            &mut told.summary.records_differ
        };
        *counted += caused.len() as u64;
        if self.all || result != ReplayResult::Same {
            let now = Some(line::answer(&ran.exchange));
            let line = ExchangeLine { now, differences, rules: by, ..line::of(&recorded, result) };
            told.tell(ReplayLine::Exchange(line)).await?;
        }
        if !same_events && !caused.is_empty() {
            scratch.copy(caused).await?;
        }
        Ok(())
    }

    fn not_replayed(&mut self, recorded: &RecordedExchange) -> Option<NotReplayed> {
        let exchange = &recorded.exchange;
        if self.bulks.remove(&exchange.id).is_some() {
            return Some(NotReplayed::ByItsParts);
        }
        if let Some(why) = line::not_replayed(exchange) {
            return Some(why);
        }
        // What was answered so depends on the load and the stores of that moment.
        matches!(exchange.answer.status, 429 | 500..).then_some(NotReplayed::ServerTrouble)
    }
}
