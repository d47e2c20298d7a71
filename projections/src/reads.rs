//! The trail of what was read: who asked what of an organization's history, and how often. It lies
//! in the side store. In the log, each page that is read would be one more exchange to be read, and
//! an auditor who pages through exchanges would never come to an end.
//!
//! A *session* begins with the first question of a caller who asked nothing for a while; that one is
//! an exchange in the log. Everything asked after it is a row here for each question, however many
//! pages its answer has. The oldest rows of a caller are added up into one.

use crate::columns::{Columns, Stored, columns, read, read_all, read_first};
use crate::schema;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::sql::{OpenTransaction, SqlError, SqlStore, SqlValue};
use std::sync::Arc;

/// A session ends when nothing was asked for so long, ...
const IDLE: TimeDelta = TimeDelta::minutes(30);
/// ... and goes on no longer than this.
const LONGEST: TimeDelta = TimeDelta::hours(12);
/// So many questions of a caller stand by themselves, ...
pub const OF_ONE: u64 = 1_000;
/// ... and so many of the oldest are added up together.
const TOGETHER: u64 = 100;

columns! {
    /// A question, and how often it was asked in a session.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ReadRow {
        /// Whose history was read.
        pub organization: OrganizationId,
        /// Its place: newer questions have higher ones.
        pub number: u64,
        /// The request that asked it first.
        pub id: ExchangeId,
        /// Who asked: [`Actor`] as JSON.
        caller: String,
        /// The exchange in the log that the session began with.
        pub session: ExchangeId,
        /// When that was.
        pub session_began: DateTime<Utc>,
        /// What was asked, such as `audit.exchanges.list`; empty where questions are added up.
        pub operation: String,
        /// Path and query without what turns pages; empty where questions are added up.
        pub question: String,
        /// When it was first asked.
        pub first: DateTime<Utc>,
        /// When it was last asked.
        pub last: DateTime<Utc>,
        /// How many requests asked it.
        pub requests: u64,
        /// How many rows they were given. Files of any length count as one.
        pub rows: u64,
        /// How many of them were refused.
        pub refused: u64,
    }

    table READS = "audit_reads" {
        key: ["organization", "number"],
        indexes: [["organization", "caller", "last"]],
        order: "number",
    }
}

impl ReadRow {
    /// Who asked.
    ///
    /// # Errors
    /// If the row is damaged.
    pub fn caller(&self) -> Result<Actor, SqlError> {
        serde_json::from_str(&self.caller)
            .map_err(|_| SqlError::Shape("a caller cannot be read".to_owned()))
    }

    fn add(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.requests += other.requests;
        self.rows += other.rows;
        self.refused += other.refused;
    }
}

/// A request that read something.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Whose history.
    pub organization: OrganizationId,
    /// Its id.
    pub id: ExchangeId,
    /// When it came.
    pub at: DateTime<Utc>,
    /// Who asked.
    pub caller: Actor,
    /// What was asked, such as `audit.exchanges.list`.
    pub operation: String,
    /// Path and query without what turns pages.
    pub question: String,
    /// How many rows were given.
    pub rows: u64,
    /// Whether it was refused.
    pub refused: bool,
}

/// The trail.
#[derive(Clone)]
pub struct ReadTrail {
    store: Arc<dyn SqlStore>,
}

impl ReadTrail {
    /// Keeps it in this store; makes the table if there is none.
    ///
    /// # Errors
    /// If the store cannot be reached.
    pub async fn open(store: Arc<dyn SqlStore>) -> Result<Self, SqlError> {
        schema::make(&*store, &[&READS]).await?;
        Ok(Self { store })
    }

    /// Keeps that something was read. Gives true if a session began with it.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn note(&self, reading: Reading) -> Result<bool, SqlError> {
        let organization = reading.organization;
        let caller = serde_json::to_string(&reading.caller)
            .map_err(|_| SqlError::Shape("a caller cannot be written".to_owned()))?;
        let list = ReadRow::list();
        let sql = format!(
            "SELECT {list} FROM audit_reads WHERE organization = $1 AND caller = $2 \
             ORDER BY last DESC LIMIT 1"
        );
        let params = vec![organization.into(), caller.clone().into()];
        let (mut tx, rows) = self.store.begin_with(organization, &sql, params).await?;
        let session = read_first::<ReadRow>(rows)?
            .filter(|row| reading.at < row.last + IDLE && reading.at < row.session_began + LONGEST);
        let asked = match &session {
            Some(of) => asked(&mut *tx, of, &reading.question).await?,
            None => None,
        };
        let begins = session.is_none();
        let (session, session_began) =
            session.map_or((reading.id, reading.at), |of| (of.session, of.session_began));
        let number = match &asked {
            Some(row) => row.number,
            None => newest(&mut *tx, organization).await? + 1,
        };
        let mut row = ReadRow {
            organization,
            number,
            id: reading.id,
            caller,
            session,
            session_began,
            operation: reading.operation,
            question: reading.question,
            first: reading.at,
            last: reading.at,
            requests: 1,
            rows: reading.rows,
            refused: reading.refused.into(),
        };
        let is_new = asked.is_none();
        if let Some(before) = asked {
            row.add(&before);
            row.id = before.id;
        }
        let mut statements = Vec::new();
        if is_new {
            add_up(&mut *tx, &row, &mut statements).await?;
        }
        ReadRow::upsert(vec![row], &mut statements)?;
        tx.finish(statements).await?;
        Ok(begins)
    }

    /// At most `limit` questions before a place, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn list(
        &self,
        organization: OrganizationId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<ReadRow>, SqlError> {
        let sql = format!(
            "SELECT {} FROM audit_reads WHERE organization = $1 AND number < $2 \
             ORDER BY number DESC LIMIT {limit}",
            ReadRow::list()
        );
        let before = SqlValue::from(before.unwrap_or(u64::MAX));
        read_all(self.store.query(&sql, vec![organization.into(), before]).await?)
    }
}

/// The row of a question in this session.
async fn asked(
    tx: &mut dyn OpenTransaction,
    of: &ReadRow,
    question: &str,
) -> Result<Option<ReadRow>, SqlError> {
    if of.question == question {
        return Ok(Some(of.clone()));
    }
    let sql = format!(
        "SELECT {} FROM audit_reads WHERE organization = $1 AND caller = $2 AND last >= $3 \
         AND session = $4 AND question = $5 LIMIT 1",
        ReadRow::list()
    );
    let params = vec![
        of.organization.into(),
        of.caller.clone().into(),
        of.session_began.timestamp_micros().into(),
        of.session.to_string().into(),
        question.into(),
    ];
    read_first(tx.query(&sql, params).await?)
}

async fn newest(
    tx: &mut dyn OpenTransaction,
    organization: OrganizationId,
) -> Result<u64, SqlError> {
    let sql = "SELECT number FROM audit_reads WHERE organization = $1 ORDER BY number DESC LIMIT 1";
    let rows = tx.query(sql, vec![organization.into()]).await?;
    Ok(rows.into_iter().next().map(read::<u64>).transpose()?.unwrap_or(0))
}

/// Adds up the oldest questions of the caller of `row`, if they are too many.
async fn add_up(
    tx: &mut dyn OpenTransaction,
    row: &ReadRow,
    statements: &mut Vec<(String, Vec<SqlValue>)>,
) -> Result<(), SqlError> {
    let sql = format!(
        "SELECT {} FROM audit_reads WHERE organization = $1 AND caller = $2 \
         ORDER BY last DESC LIMIT {} OFFSET {}",
        ReadRow::list(),
        TOGETHER * 2,
        OF_ONE - TOGETHER
    );
    let params = vec![row.organization.into(), row.caller.clone().into()];
    let oldest: Vec<ReadRow> = read_all(tx.query(&sql, params).await?)?;
    if (oldest.len() as u64) < TOGETHER {
        return Ok(());
    }
    let mut together: Option<ReadRow> = None;
    for row in &oldest {
        match &mut together {
            None => together = Some(row.clone()),
            Some(sum) => {
                sum.add(row);
                sum.number = sum.number.min(row.number);
            }
        }
        let sql = "DELETE FROM audit_reads WHERE organization = $1 AND number = $2";
        statements.push((sql.to_owned(), vec![row.organization.into(), row.number.into()]));
    }
    let sum =
        together.map(|sum| ReadRow { operation: String::new(), question: String::new(), ..sum });
    ReadRow::upsert(sum.into_iter().collect(), statements)?;
    Ok(())
}
