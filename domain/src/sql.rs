//! The port through which views are kept in tables.
//!
//! SQL is written once, in a subset that SQLite and PostgreSQL read alike: types `TEXT` and
//! `BIGINT`, parameters `$1..$n` numbered in the order in which they first appear, `INSERT ... ON
//! CONFLICT ... DO UPDATE`. No collation is relied on: order by numbers, compare text for equality.

use crate::ids::OrganizationId;
use async_trait::async_trait;
use std::sync::Arc;

/// Views that are folded together and kept in a store of their own, so that one family neither
/// waits for the other nor stops with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// What answers SCIM and sign-ins: folded by whoever appended, before the answer leaves.
    Live,
    /// What answers auditors: folded in the background, and caught up by whoever asks.
    Audit,
}

impl Family {
    /// All of them.
    pub const ALL: [Family; 2] = [Family::Live, Family::Audit];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Family::Live => "live",
            Family::Audit => "audit",
        }
    }
}

/// A bound parameter or a column. The type is part of a null, because PostgreSQL wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlValue {
    /// `TEXT`
    Text(Option<String>),
    /// `BIGINT`
    Int(Option<i64>),
}

impl From<&str> for SqlValue {
    fn from(v: &str) -> Self {
        SqlValue::Text(Some(v.to_owned()))
    }
}
impl From<String> for SqlValue {
    fn from(v: String) -> Self {
        SqlValue::Text(Some(v))
    }
}
impl From<Option<String>> for SqlValue {
    fn from(v: Option<String>) -> Self {
        SqlValue::Text(v)
    }
}
impl From<i64> for SqlValue {
    fn from(v: i64) -> Self {
        SqlValue::Int(Some(v))
    }
}
impl From<Option<i64>> for SqlValue {
    fn from(v: Option<i64>) -> Self {
        SqlValue::Int(v)
    }
}
impl From<u64> for SqlValue {
    fn from(v: u64) -> Self {
        SqlValue::Int(Some(i64::try_from(v).unwrap_or(i64::MAX)))
    }
}
impl From<bool> for SqlValue {
    fn from(v: bool) -> Self {
        SqlValue::Int(Some(i64::from(v)))
    }
}
impl From<OrganizationId> for SqlValue {
    fn from(v: OrganizationId) -> Self {
        SqlValue::Text(Some(v.to_string()))
    }
}

/// One row, values in the order of the query. Whoever asks takes them in that order: none has a
/// number. A null may come back as one of another type, because not every database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlRow(pub Vec<SqlValue>);

/// Why a view could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The database is away; asking again later may help.
    #[error("the views cannot be reached: {0}")]
    Unavailable(String),
    /// A row had another shape than the view expects.
    #[error("unexpected row: {0}")]
    Shape(String),
    /// The database refused the statement.
    #[error("statement refused: {0}")]
    Refused(String),
}

impl SqlError {
    /// Which kind it is, for where its text is not to be shown: that may hold values.
    pub fn kind(&self) -> &'static str {
        match self {
            SqlError::Unavailable(_) => "unavailable",
            SqlError::Shape(_) => "unexpected-row",
            SqlError::Refused(_) => "refused",
        }
    }
}

/// The tables of one family of views in one database.
#[async_trait]
pub trait SqlStore: Send + Sync + 'static {
    /// Reads outside a transaction; sees everything committed before the call.
    async fn query(&self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError>;

    /// Begins a writing transaction. At most one per `organization` is open at a time, in all
    /// processes on this database; a second waits. Dropping it without commit rolls back.
    async fn begin(
        &self,
        organization: OrganizationId,
    ) -> Result<Box<dyn OpenTransaction>, SqlError>;

    /// [`Self::begin`] and a first query in one; cheaper where a call has a price.
    async fn begin_with(
        &self,
        organization: OrganizationId,
        sql: &str,
        params: Vec<SqlValue>,
    ) -> Result<(Box<dyn OpenTransaction>, Vec<SqlRow>), SqlError> {
        let mut transaction = self.begin(organization).await?;
        let rows = transaction.query(sql, params).await?;
        Ok((transaction, rows))
    }

    /// Begins a writing transaction that excludes every other writer, in all processes.
    async fn begin_exclusive(&self) -> Result<Box<dyn OpenTransaction>, SqlError>;

    /// An empty store beside this one, for a rebuild or a comparison. It is dropped with its last
    /// handle unless [`Self::promote`] made it the live one.
    async fn scratch(&self) -> Result<Arc<dyn SqlStore>, SqlError>;

    /// Makes `scratch` (from [`Self::scratch`]) the live tables, for all processes, and drops the
    /// old ones. `exclusive` is a transaction from [`Self::begin_exclusive`], committed by this
    /// call.
    async fn promote(
        &self,
        scratch: Arc<dyn SqlStore>,
        exclusive: Box<dyn OpenTransaction>,
    ) -> Result<(), SqlError>;

    /// Leaves nothing in the store's own files of what was removed or changed before, as far as that
    /// is the store's to do.
    async fn scrub(&self) -> Result<(), SqlError> {
        Ok(())
    }

    /// For [`Self::promote`]: names the scratch tables to the adapter that made them.
    fn scratch_name(&self) -> Option<String>;
}

/// Statements inside a writing transaction, which somebody else began and will end.
#[async_trait]
pub trait SqlTransaction: Send {
    /// Reads inside the transaction.
    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError>;
    /// Writes; gives the number of rows touched.
    async fn execute(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<u64, SqlError>;
    /// Runs several writes one after another; cheaper than one call each.
    async fn execute_all(
        &mut self,
        statements: Vec<(String, Vec<SqlValue>)>,
    ) -> Result<(), SqlError>;
}

/// A writing transaction with whoever began it.
#[async_trait]
pub trait OpenTransaction: SqlTransaction {
    /// Makes everything visible, at once.
    async fn commit(self: Box<Self>) -> Result<(), SqlError>;
    /// [`SqlTransaction::execute_all`] and [`Self::commit`] in one; cheaper where a call has a
    /// price.
    async fn finish(
        mut self: Box<Self>,
        statements: Vec<(String, Vec<SqlValue>)>,
    ) -> Result<(), SqlError>;
}
