//! From exchanges to rows of runs.

use super::row::{RUN_EXCHANGES, RUNS, RunExchange, RunRow, exchange_row, run_row};
use crate::bad::Bad;
use crate::columns::{Stored, columns, read_first};
use crate::page::Page;
use crate::table::{Statement, Table};
use crate::view::View;
use rollcall_domain::ids::{OrganizationId, RunId};
use rollcall_domain::log::{ExchangeNumber, RecordedExchange};
use rollcall_domain::run::{Fact, Inference, Rhythm, Run};
use rollcall_domain::sql::{SqlError, SqlTransaction};
use std::collections::BTreeMap;

columns! {
    struct InferenceRow {
        organization: OrganizationId,
        number: ExchangeNumber,
        state: Inference,
        rhythm: Option<Rhythm>,
    }

    /// The state of the inference after the last exchange folded: one row for each organization.
    /// `rhythm` is that of the cycles, those that are open included.
    pub table RUN_INFERENCE = "run_inference" {
        key: ["organization"],
        indexes: [],
        order: "number",
    }
}

/// The runs that a page of exchanges changes.
#[derive(Debug)]
pub(crate) struct RunRows {
    organization: OrganizationId,
    inference: Inference,
    number: Option<ExchangeNumber>,
    settled: BTreeMap<RunId, Run>,
    exchanges: Vec<RunExchange>,
}

impl View for RunRows {
    const NAME: &'static str = "runs";
    const REVISION: u32 = 1;
    const TABLES: &'static [&'static Table] = &[&RUNS, &RUN_EXCHANGES, &RUN_INFERENCE];

    /// Reads where the inference stands.
    async fn fetch(tx: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        let organization = page.organization;
        let rows = tx
            .query(
                "SELECT state FROM run_inference WHERE organization = $1",
                vec![organization.into()],
            )
            .await?;
        let inference = read_first(rows)?.unwrap_or_default();
        Ok(Self {
            organization,
            inference,
            number: None,
            settled: BTreeMap::new(),
            exchanges: Vec::new(),
        })
    }

    /// Those of no organization make no runs: strangers have no rhythm.
    fn exchange(&mut self, recorded: &RecordedExchange) -> Result<(), Bad> {
        if self.organization == OrganizationId::NONE {
            return Ok(());
        }
        let Some(fact) = Fact::of(recorded) else { return Ok(()) };
        let observed = self.inference.observe(self.organization, &fact);
        self.number = Some(fact.number);
        self.settled.extend(observed.settled.into_iter().map(|run| (run.id, run)));
        self.exchanges.push(exchange_row(
            self.organization,
            recorded,
            observed.run,
            observed.retry,
        ));
        Ok(())
    }

    /// A run that is open is written as it would be judged if nothing came any more.
    fn flush(mut self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        let Some(number) = self.number else { return Ok(()) };
        self.settled.extend(self.inference.open_runs().map(|run| (run.id, run)));
        RunRow::upsert(
            self.settled.into_values().map(|run| run_row(self.organization, run)).collect(),
            out,
        )?;
        RunExchange::upsert(self.exchanges, out)?;
        let rhythm = self.inference.rhythm_to_come();
        InferenceRow::upsert(
            vec![InferenceRow {
                organization: self.organization,
                number,
                state: self.inference,
                rhythm,
            }],
            out,
        )
    }
}
