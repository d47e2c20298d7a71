//! Every request and what became of it: table, fold, queries. Bodies and headers stay in the log.

use crate::bad::Bad;
use crate::columns::{Columns, Stored, columns, read_all, read_first};
use crate::page::Page;
use crate::table::{Statement, Table};
use crate::text::{bounded, micros};
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId, TokenId};
use rollcall_domain::interpretation::Interpretation;
use rollcall_domain::log::{ExchangeNumber, Position, RecordedExchange};
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction, SqlValue};
use std::sync::Arc;

const TARGET_BYTES: usize = 2_000;
const DETAIL_BYTES: usize = 1_000;
const WORD_BYTES: usize = 200;

columns! {
    /// An exchange without headers and bodies.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ExchangeRow {
        /// Whose it is.
        pub organization: OrganizationId,
        /// Its place among the organization's exchanges.
        pub number: ExchangeNumber,
        /// Its id.
        pub id: ExchangeId,
        /// When the first byte was read.
        pub received_at: DateTime<Utc>,
        /// What was asked for, such as `users.patch`.
        pub operation: String,
        /// The HTTP method.
        pub method: String,
        /// Path and query, cut at 2,000 bytes.
        pub target: String,
        /// The status answered.
        pub status: u16,
        /// True if that is an error.
        pub failed: bool,
        /// RFC 7644 section 3.12.
        pub scim_type: Option<String>,
        /// The error's text, cut at 1,000 bytes.
        pub detail: Option<String>,
        /// The id of the resource it was about.
        pub subject: Option<String>,
        /// The token it came with.
        pub token: Option<TokenId>,
        /// The kind of caller: such as `scim_token`; see [`Actor::kind`].
        pub caller: String,
        /// The peer's address.
        pub source: Option<String>,
        /// From the first byte to the append, in microseconds.
        pub duration_us: u64,
        /// First and last position it produced.
        pub positions: Option<(Position, Position)> = ("first_position", "last_position"),
        /// Liberties taken to read it.
        pub interpretations: Vec<Interpretation>,
        /// True if it had a shape the decoder does not know.
        pub unknown_shape: bool,
        /// The `/Bulk` exchange it was part of.
        pub parent: Option<ExchangeId>,
        /// The exchange that was submitted again with this one.
        pub replays: Option<ExchangeId>,
    }

    /// One row for each exchange. `target` may carry names, in a filter: show it to those who may
    /// read the directory only.
    pub table EXCHANGES = "exchanges" {
        key: ["organization", "number"],
        indexes: [
            ["organization", "id"],
            ["organization", "subject", "number"],
            ["organization", "operation", "number"],
            ["organization", "failed", "number"],
        ],
        order: "number",
    }
}

/// The rows that a page of exchanges makes.
#[derive(Debug)]
pub(crate) struct ExchangeRows {
    organization: OrganizationId,
    rows: Vec<ExchangeRow>,
}

impl View for ExchangeRows {
    const NAME: &'static str = "exchanges";
    const REVISION: u32 = 1;
    const TABLES: &'static [&'static Table] = &[&EXCHANGES];

    async fn fetch(_: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        Ok(Self { organization: page.organization, rows: Vec::with_capacity(page.exchanges.len()) })
    }

    fn exchange(&mut self, recorded: &RecordedExchange) -> Result<(), Bad> {
        let exchange = &recorded.exchange;
        let answer = &exchange.answer;
        let word = |text: &String| bounded(text, WORD_BYTES);
        let caller = exchange.caller.kind();
        let token = match exchange.caller {
            Actor::ScimToken { token } => Some(token),
            _ => None,
        };
        self.rows.push(ExchangeRow {
            organization: self.organization,
            number: recorded.number,
            id: exchange.id,
            received_at: exchange.received_at,
            operation: word(&exchange.operation),
            method: word(&exchange.method),
            target: bounded(&exchange.target, TARGET_BYTES),
            status: answer.status,
            failed: answer.status >= 400,
            scim_type: answer.scim_type.as_ref().map(word),
            detail: answer.detail.as_deref().map(|d| bounded(d, DETAIL_BYTES)),
            subject: exchange.subject.as_ref().map(word),
            token,
            caller: caller.to_owned(),
            source: exchange.source.as_ref().map(word),
            duration_us: exchange.duration_us,
            positions: recorded.positions,
            interpretations: exchange.interpretations.clone(),
            unknown_shape: exchange.unknown_shape,
            parent: exchange.parent,
            replays: exchange.replays,
        });
        Ok(())
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        ExchangeRow::upsert(self.rows, out)
    }
}

/// Which exchanges to list. Everything left `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExchangeFilter {
    /// First digit of the status: 2, 4, 5.
    pub status_class: Option<u16>,
    /// What was asked for, such as `users.patch`.
    pub operation: Option<String>,
    /// The id of the resource it was about.
    pub subject: Option<String>,
    /// Only those answered with an error.
    pub failed: bool,
    /// Only those with a shape the decoder does not know.
    pub unknown_shape: bool,
    /// Only those with these numbers.
    pub numbers: Option<Vec<ExchangeNumber>>,
    /// Where to begin, and in which direction.
    pub from: Start,
}

/// Where a list of exchanges begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// With the latest, newest first.
    #[default]
    Latest,
    /// Below this number, newest first.
    Before(ExchangeNumber),
    /// Above this number, oldest first.
    After(ExchangeNumber),
}

/// Reads exchanges.
#[derive(Clone)]
pub struct Exchanges {
    views: Arc<dyn SqlStore>,
}

impl Exchanges {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// At most `limit` exchanges of an organization.
    pub async fn list(
        &self,
        organization: OrganizationId,
        filter: &ExchangeFilter,
        limit: usize,
    ) -> Result<Vec<ExchangeRow>, SqlError> {
        let mut params: Vec<SqlValue> = vec![organization.into()];
        let mut conditions = vec!["organization = $1".to_owned()];
        let mut condition = |text: &str, value: SqlValue| {
            params.push(value);
            conditions.push(format!("{text} ${}", params.len()));
        };
        if let Some(class) = filter.status_class {
            condition("status >=", (i64::from(class) * 100).into());
            condition("status <", (i64::from(class) * 100 + 100).into());
        }
        if let Some(operation) = &filter.operation {
            condition("operation =", bounded(operation, WORD_BYTES).into());
        }
        if let Some(subject) = &filter.subject {
            condition("subject =", bounded(subject, WORD_BYTES).into());
        }
        if filter.failed {
            condition("failed =", true.into());
        }
        if filter.unknown_shape {
            condition("unknown_shape =", true.into());
        }
        let direction = match filter.from {
            Start::Latest => "DESC",
            Start::Before(number) => {
                condition("number <", number.into());
                "DESC"
            }
            Start::After(number) => {
                condition("number >", number.into());
                "ASC"
            }
        };
        if let Some(numbers) = &filter.numbers {
            // Numbers of the log, not what a client sent; and too many to bind each.
            let list = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
            conditions.push(format!("number IN ({list})"));
        }
        params.push(SqlValue::Int(Some(i64::try_from(limit).unwrap_or(i64::MAX))));
        let sql = format!(
            "SELECT {} FROM exchanges WHERE {} ORDER BY number {direction} LIMIT ${}",
            ExchangeRow::list(),
            conditions.join(" AND "),
            params.len()
        );
        read_all(self.views.query(&sql, params).await?)
    }

    /// At most `limit` exchanges that wrote to a resource with success, after a number, oldest
    /// first.
    pub async fn writes_after(
        &self,
        organization: OrganizationId,
        subject: ResourceId,
        after: ExchangeNumber,
        limit: usize,
    ) -> Result<Vec<ExchangeRow>, SqlError> {
        let sql = format!(
            "SELECT {} FROM exchanges WHERE organization = $1 AND subject = $2 AND number > $3 AND failed = 0 \
             AND operation IN ('users.create', 'users.replace', 'users.patch', 'users.delete', \
             'groups.create', 'groups.replace', 'groups.patch', 'groups.delete') ORDER BY number LIMIT $4",
            ExchangeRow::list()
        );
        let params = vec![
            organization.into(),
            subject.to_string().into(),
            after.into(),
            (limit as u64).into(),
        ];
        read_all(self.views.query(&sql, params).await?)
    }

    /// The number of the last exchange that was received before an instant; 0 if there is none.
    pub async fn last_before(
        &self,
        organization: OrganizationId,
        at: DateTime<Utc>,
    ) -> Result<ExchangeNumber, SqlError> {
        // Found from the end: few are younger than what is kept for long, and none is looked at
        // twice.
        let sql = "SELECT number FROM exchanges WHERE organization = $1 AND received_at < $2 ORDER BY number DESC LIMIT 1";
        let rows = self.views.query(sql, vec![organization.into(), micros(at).into()]).await?;
        Ok(read_first(rows)?.unwrap_or_default())
    }

    /// One exchange.
    pub async fn get(
        &self,
        organization: OrganizationId,
        exchange: ExchangeId,
    ) -> Result<Option<ExchangeRow>, SqlError> {
        let sql = format!(
            "SELECT {} FROM exchanges WHERE organization = $1 AND id = $2",
            ExchangeRow::list()
        );
        read_first(
            self.views.query(&sql, vec![organization.into(), exchange.to_string().into()]).await?,
        )
    }
}
