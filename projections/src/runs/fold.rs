//! From exchanges to rows of runs.

use super::imported::Imports;
use super::row::{exchange_values, run_values};
use super::{RUN_EXCHANGES, RUN_INFERENCE, RUNS};
use crate::page::Bad;
use crate::table::Statement;
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::{OrganizationId, RunId};
use rollcall_domain::log::{ExchangeNumber, RecordedExchange};
use rollcall_domain::run::{Fact, Inference, Run};
use rollcall_domain::sql::{SqlError, SqlTransaction, SqlValue};
use std::collections::BTreeMap;

/// The runs that a page of exchanges changes.
#[derive(Debug)]
pub(crate) struct RunRows {
    organization: OrganizationId,
    inference: Inference,
    number: Option<ExchangeNumber>,
    settled: BTreeMap<RunId, Run>,
    exchanges: Vec<Vec<SqlValue>>,
    imports: Imports,
}

impl RunRows {
    /// Reads where the inference stands.
    pub async fn fetch(tx: &mut dyn SqlTransaction, organization: OrganizationId) -> Result<Self, SqlError> {
        let rows = tx.query("SELECT state FROM run_inference WHERE organization = $1", vec![organization.into()]).await?;
        let inference = match rows.first() {
            Some(row) => serde_json::from_str(row.text(0)?).map_err(|e| SqlError::Shape(format!("run_inference: {e}")))?,
            None => Inference::default(),
        };
        Ok(Self { organization, inference, number: None, settled: BTreeMap::new(), exchanges: Vec::new(), imports: Imports::default() })
    }

    /// Folds the next event.
    pub fn record(&mut self, event: &DomainEvent) {
        if let DomainEvent::Organization(event) = event {
            self.imports.apply(event);
        }
    }

    /// Folds the next exchange. Those of no organization make no runs: strangers have no rhythm.
    pub fn exchange(&mut self, recorded: &RecordedExchange) {
        if self.organization == OrganizationId::NONE {
            return;
        }
        let Some(fact) = Fact::of(recorded) else { return };
        let observed = self.inference.observe(self.organization, &fact);
        self.number = Some(fact.number);
        self.settled.extend(observed.settled.into_iter().map(|run| (run.id, run)));
        self.exchanges.push(exchange_values(self.organization, recorded, observed.run, observed.retry));
    }

    /// The statements. A run that is open is written as it would be judged if nothing came any more.
    pub fn flush(mut self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        let unwritable = |_| Bad::new("a run cannot be written");
        self.imports.flush(self.organization, out).map_err(unwritable)?;
        let Some(number) = self.number else { return Ok(()) };
        self.settled.extend(self.inference.open_runs().map(|run| (run.id, run)));
        let runs = self.settled.into_values().map(|run| run_values(self.organization, run)).collect::<Result<_, _>>();
        RUNS.upsert(runs.map_err(unwritable)?, out);
        RUN_EXCHANGES.upsert(self.exchanges, out);
        let state = serde_json::to_string(&self.inference).map_err(unwritable)?;
        let rhythm = self.inference.rhythm_to_come().map(|rhythm| serde_json::to_string(&rhythm)).transpose().map_err(unwritable)?;
        RUN_INFERENCE.upsert(vec![vec![self.organization.into(), number.into(), state.into(), rhythm.into()]], out);
        Ok(())
    }
}
