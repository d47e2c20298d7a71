//! Questions about runs.

use super::row::{RunExchange, RunRow, exchange_row, run_row};
use super::{RUN_EXCHANGES, RUNS};
use crate::exchanges::Start;
use crate::text::{count, id};
use rollcall_domain::ids::{OrganizationId, RunId};
use rollcall_domain::log::ExchangeNumber;
use rollcall_domain::run::{Rhythm, RunKind};
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore, SqlValue};
use std::sync::Arc;

/// Which runs to list. Everything left out does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// What they were.
    pub kind: Option<RunKind>,
    /// Only those with failures.
    pub failed: bool,
    /// Only those that changed something.
    pub changed: bool,
    /// Where to begin, by the number of the first exchange, and in which direction.
    pub from: Start,
}

/// Reads runs. Fold the audit family first.
#[derive(Clone)]
pub struct Runs {
    views: Arc<dyn SqlStore>,
}

impl Runs {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// At most `limit` runs of an organization, by their first exchange.
    pub async fn list(&self, organization: OrganizationId, filter: &RunFilter, limit: usize) -> Result<Vec<RunRow>, SqlError> {
        let mut params: Vec<SqlValue> = vec![organization.into()];
        let mut conditions = vec!["organization = $1".to_owned()];
        let mut condition = |text: &str, value: SqlValue| {
            params.push(value);
            conditions.push(format!("{text} ${}", params.len()));
        };
        if let Some(kind) = filter.kind {
            condition("kind =", kind.as_str().into());
        }
        if filter.failed {
            condition("failures >", 0_i64.into());
        }
        if filter.changed {
            condition("changes >", 0_i64.into());
        }
        let direction = match filter.from {
            Start::Latest => "DESC",
            Start::Before(number) => {
                condition("first_number <", number.into());
                "DESC"
            }
            Start::After(number) => {
                condition("first_number >", number.into());
                "ASC"
            }
        };
        params.push(SqlValue::Int(Some(i64::try_from(limit).unwrap_or(i64::MAX))));
        let sql = format!(
            "SELECT {} FROM runs WHERE {} ORDER BY first_number {direction} LIMIT ${}",
            RUNS.all(),
            conditions.join(" AND "),
            params.len()
        );
        self.views.query(&sql, params).await?.iter().map(run_row).collect()
    }

    /// One run.
    pub async fn get(&self, organization: OrganizationId, run: RunId) -> Result<Option<RunRow>, SqlError> {
        let sql = format!("SELECT {} FROM runs WHERE organization = $1 AND run = $2", RUNS.all());
        let rows = self.views.query(&sql, vec![organization.into(), run.to_string().into()]).await?;
        rows.first().map(run_row).transpose()
    }

    /// At most `limit` exchanges of a run after a number, in order.
    pub async fn exchanges(
        &self,
        organization: OrganizationId,
        run: RunId,
        after: ExchangeNumber,
        limit: usize,
    ) -> Result<Vec<RunExchange>, SqlError> {
        let sql = format!(
            "SELECT {} FROM run_exchanges WHERE organization = $1 AND run = $2 AND number > $3 ORDER BY number LIMIT $4",
            RUN_EXCHANGES.all()
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = vec![organization.into(), run.to_string().into(), after.into(), limit.into()];
        self.views.query(&sql, params).await?.iter().map(exchange_row).collect()
    }

    /// The numbers of a run's exchanges, in order.
    pub async fn numbers(&self, organization: OrganizationId, run: RunId) -> Result<Vec<ExchangeNumber>, SqlError> {
        let sql = "SELECT number FROM run_exchanges WHERE organization = $1 AND run = $2 ORDER BY number";
        let rows = self.views.query(sql, vec![organization.into(), run.to_string().into()]).await?;
        rows.iter().map(|row| count(row.int(0)?)).collect()
    }

    /// The runs of exchanges with numbers from `first` to `last`.
    pub async fn of_exchanges(
        &self,
        organization: OrganizationId,
        first: ExchangeNumber,
        last: ExchangeNumber,
    ) -> Result<Vec<RunExchange>, SqlError> {
        let sql = format!(
            "SELECT {} FROM run_exchanges WHERE organization = $1 AND number >= $2 AND number <= $3 ORDER BY number",
            RUN_EXCHANGES.all()
        );
        self.views.query(&sql, vec![organization.into(), first.into(), last.into()]).await?.iter().map(exchange_row).collect()
    }

    /// The rhythm of an organization's cycles, those that are going on included; none if no cycle was ever seen.
    pub async fn rhythm(&self, organization: OrganizationId) -> Result<Option<Rhythm>, SqlError> {
        let sql = "SELECT organization, rhythm FROM run_inference WHERE organization = $1";
        Ok(rhythms(&self.views.query(sql, vec![organization.into()]).await?)?.pop().map(|(_, rhythm)| rhythm))
    }

    /// The rhythms of all organizations with cycles.
    pub async fn rhythms(&self) -> Result<Vec<(OrganizationId, Rhythm)>, SqlError> {
        rhythms(&self.views.query("SELECT organization, rhythm FROM run_inference", Vec::new()).await?)
    }
}

fn rhythms(rows: &[SqlRow]) -> Result<Vec<(OrganizationId, Rhythm)>, SqlError> {
    let mut all = Vec::new();
    for row in rows {
        if let Some(text) = row.optional_text(1)? {
            all.push((id(row.text(0)?)?, serde_json::from_str(text).map_err(|e| SqlError::Shape(format!("run_inference: {e}")))?));
        }
    }
    Ok(all)
}
