//! Every request and what became of it: table, fold, queries. Bodies and headers stay in the log.

use crate::table::{Table, int, optional_int, optional_text, text};
use crate::text::{bounded, count, id, instant, micros};
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId, TokenId};
use rollcall_domain::interpretation::Interpretation;
use rollcall_domain::log::{ExchangeNumber, Position, RecordedExchange};
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore, SqlValue};
use std::sync::Arc;

/// One row for each exchange. `target` may carry names, in a filter: show it to those who may
/// read the directory only.
pub const EXCHANGES: Table = Table {
    name: "exchanges",
    columns: &[
        text("organization"),
        int("number"),
        text("id"),
        int("received_at"),
        text("operation"),
        text("method"),
        text("target"),
        int("status"),
        int("failed"),
        optional_text("scim_type"),
        optional_text("detail"),
        optional_text("subject"),
        optional_text("token"),
        text("caller"),
        optional_text("source"),
        int("duration_us"),
        optional_int("first_position"),
        optional_int("last_position"),
        text("interpretations"),
        int("unknown_shape"),
        optional_text("parent"),
        optional_text("replays"),
    ],
    key: &["organization", "number"],
    indexes: &[
        &["organization", "id"],
        &["organization", "subject", "number"],
        &["organization", "operation", "number"],
        &["organization", "failed", "number"],
    ],
    order: "number",
};

const TARGET_BYTES: usize = 2_000;
const DETAIL_BYTES: usize = 1_000;
const WORD_BYTES: usize = 200;

/// The row of an exchange.
pub(crate) fn values(organization: OrganizationId, recorded: RecordedExchange) -> Result<Vec<SqlValue>, serde_json::Error> {
    let exchange = recorded.exchange;
    let answer = exchange.answer;
    let (caller, token) = match &exchange.caller {
        Actor::Unauthenticated => ("unauthenticated", None),
        Actor::ScimToken { token } => ("scim_token", Some(token.to_string())),
        Actor::User { .. } => ("user", None),
        Actor::Auditor { .. } => ("auditor", None),
        Actor::Operator => ("operator", None),
        Actor::System => ("system", None),
    };
    Ok(vec![
        organization.into(),
        recorded.number.into(),
        exchange.id.to_string().into(),
        micros(exchange.received_at).into(),
        bounded(&exchange.operation, WORD_BYTES).into(),
        bounded(&exchange.method, WORD_BYTES).into(),
        bounded(&exchange.target, TARGET_BYTES).into(),
        i64::from(answer.status).into(),
        (answer.status >= 400).into(),
        answer.scim_type.map(|t| bounded(&t, WORD_BYTES)).into(),
        answer.detail.map(|d| bounded(&d, DETAIL_BYTES)).into(),
        exchange.subject.map(|s| bounded(&s, WORD_BYTES)).into(),
        token.into(),
        caller.into(),
        exchange.source.map(|s| bounded(&s, WORD_BYTES)).into(),
        exchange.duration_us.into(),
        SqlValue::Int(recorded.positions.map(|p| i64::try_from(p.0).unwrap_or(i64::MAX))),
        SqlValue::Int(recorded.positions.map(|p| i64::try_from(p.1).unwrap_or(i64::MAX))),
        serde_json::to_string(&exchange.interpretations)?.into(),
        exchange.unknown_shape.into(),
        exchange.parent.map(|p| p.to_string()).into(),
        exchange.replays.map(|p| p.to_string()).into(),
    ])
}

/// An exchange without headers and bodies.
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeRow {
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
    /// RFC 7644 section 3.12.
    pub scim_type: Option<String>,
    /// The error's text, cut at 1,000 bytes.
    pub detail: Option<String>,
    /// The id of the resource it was about.
    pub subject: Option<String>,
    /// The token it came with.
    pub token: Option<TokenId>,
    /// The kind of caller: `unauthenticated`, `scim_token`, `operator` or `system`.
    pub caller: String,
    /// The peer's address.
    pub source: Option<String>,
    /// From the first byte to the append, in microseconds.
    pub duration_us: u64,
    /// First and last position it produced.
    pub positions: Option<(Position, Position)>,
    /// Liberties taken to read it.
    pub interpretations: Vec<Interpretation>,
    /// True if it had a shape the decoder does not know.
    pub unknown_shape: bool,
    /// The `/Bulk` exchange it was part of.
    pub parent: Option<ExchangeId>,
    /// The exchange that was submitted again with this one.
    pub replays: Option<ExchangeId>,
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
    pub async fn list(&self, organization: OrganizationId, filter: &ExchangeFilter, limit: usize) -> Result<Vec<ExchangeRow>, SqlError> {
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
            EXCHANGES.all(),
            conditions.join(" AND "),
            params.len()
        );
        self.views.query(&sql, params).await?.iter().map(exchange_row).collect()
    }

    /// At most `limit` exchanges that wrote to a resource with success, after a number, oldest first.
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
            EXCHANGES.all()
        );
        let params = vec![organization.into(), subject.to_string().into(), after.into(), (limit as u64).into()];
        self.views.query(&sql, params).await?.iter().map(exchange_row).collect()
    }

    /// The number of the last exchange that was received before an instant; 0 if there is none.
    pub async fn last_before(&self, organization: OrganizationId, at: DateTime<Utc>) -> Result<ExchangeNumber, SqlError> {
        // Found from the end: few are younger than what is kept for long, and none is looked at twice.
        let sql = "SELECT number FROM exchanges WHERE organization = $1 AND received_at < $2 ORDER BY number DESC LIMIT 1";
        let rows = self.views.query(sql, vec![organization.into(), micros(at).into()]).await?;
        rows.first().map_or(Ok(0), |row| count(row.int(0)?))
    }

    /// One exchange.
    pub async fn get(&self, organization: OrganizationId, exchange: ExchangeId) -> Result<Option<ExchangeRow>, SqlError> {
        let sql = format!("SELECT {} FROM exchanges WHERE organization = $1 AND id = $2", EXCHANGES.all());
        let rows = self.views.query(&sql, vec![organization.into(), exchange.to_string().into()]).await?;
        rows.first().map(exchange_row).transpose()
    }
}

fn exchange_row(row: &SqlRow) -> Result<ExchangeRow, SqlError> {
    let text = |i: usize| row.optional_text(i).map(|t| t.map(str::to_owned));
    let positions = match (row.optional_int(16)?, row.optional_int(17)?) {
        (Some(first), Some(last)) => Some((count(first)?, count(last)?)),
        _ => None,
    };
    Ok(ExchangeRow {
        number: count(row.int(1)?)?,
        id: id(row.text(2)?)?,
        received_at: instant(row.int(3)?)?,
        operation: row.text(4)?.to_owned(),
        method: row.text(5)?.to_owned(),
        target: row.text(6)?.to_owned(),
        status: u16::try_from(row.int(7)?).map_err(|_| SqlError::Shape("a status is no HTTP status".to_owned()))?,
        scim_type: text(9)?,
        detail: text(10)?,
        subject: text(11)?,
        token: row.optional_text(12)?.map(id).transpose()?,
        caller: row.text(13)?.to_owned(),
        source: text(14)?,
        duration_us: count(row.int(15)?)?,
        positions,
        interpretations: serde_json::from_str(row.text(18)?).map_err(|e| SqlError::Shape(format!("interpretations: {e}")))?,
        unknown_shape: row.int(19)? != 0,
        parent: row.optional_text(20)?.map(id).transpose()?,
        replays: row.optional_text(21)?.map(id).transpose()?,
    })
}
