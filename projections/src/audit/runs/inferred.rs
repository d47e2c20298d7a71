//! Runs as they were inferred: the rows, without what Entra's own log says of them.

use super::filter::RunFilter;
use super::row::{RunExchange, RunRow};
use crate::columns::{Both, Columns, columns, read_all, read_first};
use crate::exchanges::Start;
use crate::table::{key_lists, numbered, with};
use crate::text::micros;
use chrono::{DateTime, Utc};
use rollcall_domain::ids::{ExchangeId, OrganizationId, RunId};
use rollcall_domain::sql::{SqlError, SqlStore, SqlValue};
use std::collections::BTreeSet;
use std::sync::Arc;

columns! {
    struct OfExchange { id: ExchangeId = "x.id" }
}

/// Reads the rows.
#[derive(Clone)]
pub(super) struct Inferred {
    pub views: Arc<dyn SqlStore>,
}

impl Inferred {
    /// At most `limit` runs, by their first exchange.
    pub async fn list(
        &self,
        organization: OrganizationId,
        filter: &RunFilter,
        limit: usize,
    ) -> Result<Vec<RunRow>, SqlError> {
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
            RunRow::list(),
            conditions.join(" AND "),
            params.len()
        );
        read_all(self.views.query(&sql, params).await?)
    }

    /// One run.
    pub async fn get(
        &self,
        organization: OrganizationId,
        run: RunId,
    ) -> Result<Option<RunRow>, SqlError> {
        let sql =
            format!("SELECT {} FROM runs WHERE organization = $1 AND run = $2", RunRow::list());
        read_first(self.views.query(&sql, vec![organization.into(), run.to_string().into()]).await?)
    }

    /// The exchanges of a run, in order.
    pub async fn exchanges(
        &self,
        organization: OrganizationId,
        run: RunId,
    ) -> Result<Vec<RunExchange>, SqlError> {
        let sql = format!(
            "SELECT {} FROM run_exchanges WHERE organization = $1 AND run = $2 ORDER BY number",
            RunExchange::list()
        );
        read_all(self.views.query(&sql, vec![organization.into(), run.to_string().into()]).await?)
    }

    /// The runs of exchanges, each beside its exchange.
    pub async fn of(
        &self,
        organization: OrganizationId,
        exchanges: &BTreeSet<ExchangeId>,
    ) -> Result<Vec<(ExchangeId, RunRow)>, SqlError> {
        let ids: Vec<SqlValue> = exchanges.iter().map(|x| x.to_string().into()).collect();
        let columns = format!("{}, {}", RunRow::list_of("r"), OfExchange::list());
        let mut found = Vec::new();
        for ids in key_lists(&ids) {
            let sql = format!(
                "SELECT {columns} FROM run_exchanges x JOIN runs r ON r.organization = x.organization AND r.run = x.run \
                 WHERE x.organization = $1 AND x.id IN ({})",
                numbered(2, ids.len())
            );
            for Both(run, OfExchange { id }) in
                read_all(self.views.query(&sql, with(organization.into(), ids)).await?)?
            {
                found.push((id, run));
            }
        }
        Ok(found)
    }

    /// Runs that lie between two instants, wholly or in part.
    pub async fn between(
        &self,
        organization: OrganizationId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<RunRow>, SqlError> {
        let sql = format!(
            "SELECT {} FROM runs WHERE organization = $1 AND began <= $2 AND ended >= $3",
            RunRow::list()
        );
        read_all(
            self.views
                .query(&sql, vec![organization.into(), micros(to).into(), micros(from).into()])
                .await?,
        )
    }

    /// Exchanges that came in between two instants, in order.
    pub async fn exchanges_between(
        &self,
        organization: OrganizationId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<RunExchange>, SqlError> {
        let sql = format!(
            "SELECT {} FROM run_exchanges WHERE organization = $1 AND received_at >= $2 AND received_at <= $3 ORDER BY number",
            RunExchange::list()
        );
        read_all(
            self.views
                .query(&sql, vec![organization.into(), micros(from).into(), micros(to).into()])
                .await?,
        )
    }
}
