//! How far an organization's views are folded, and whether they stopped.

use crate::bad::Bad;
use crate::columns::{Columns, Read, Span, Stored, Values, columns, read_all, read_first};
use crate::table::{Kind, Statement};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Damage, ExchangeNumber, Head, Position};
use rollcall_domain::sql::{OpenTransaction, SqlError, SqlRow, SqlStore, SqlTransaction, SqlValue};

columns! {
    struct CheckpointRow {
        organization: OrganizationId,
        position: Position,
        exchange_number: ExchangeNumber,
        stopped: Option<Stop> = ("stopped_at_position", "stopped_reason", "stopped_error"),
    }

    /// One row for each organization.
    pub table CHECKPOINTS = "checkpoints" {
        key: ["organization"],
        indexes: [],
        order: "position",
    }
}

/// Why and where an organization's views stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The record that cannot be folded.
    pub position: Position,
    /// What is wrong with it.
    pub reason: StopReason,
    /// The same in words; never a payload.
    pub error: String,
}

/// What is wrong with a record at which views stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// It is not there, or cannot be read.
    Damaged(Damage),
    /// This version of Rollcall does not understand it, or it does not follow from those before it.
    NotUnderstood,
}

impl StopReason {
    /// All of them.
    pub const ALL: [Self; 3] =
        [Self::Damaged(Damage::Missing), Self::Damaged(Damage::Unreadable), Self::NotUnderstood];

    /// A stable word, for metrics and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Damaged(Damage::Missing) => "record-missing",
            Self::Damaged(Damage::Unreadable) => "record-unreadable",
            Self::NotUnderstood => "record-not-understood",
        }
    }

    /// Whether it is over once the record is there: it is looked for again each time.
    pub fn is_damage(self) -> bool {
        matches!(self, Self::Damaged(_))
    }
}

impl Read for Option<Stop> {
    fn read(values: &mut Values) -> Result<Self, SqlError> {
        let (position, word): (Option<Position>, Option<String>) =
            (Read::read(values)?, Read::read(values)?);
        let error = <Option<String> as Read>::read(values)?.unwrap_or_default();
        let Some(position) = position else { return Ok(None) };
        let reason = StopReason::ALL.into_iter().find(|r| Some(r.as_str()) == word.as_deref());
        let reason = reason.ok_or_else(|| SqlError::Shape("no reason of a stop".to_owned()))?;
        Ok(Some(Stop { position, reason, error }))
    }
}

impl Span for Option<Stop> {
    const KINDS: &'static [(Kind, bool)] =
        &[(Kind::Int, true), (Kind::Text, true), (Kind::Text, true)];

    fn write(self, out: &mut Vec<SqlValue>) -> Result<(), Bad> {
        let word = self.as_ref().map(|stop| stop.reason.as_str().to_owned());
        let (position, error) = self.map(|stop| (stop.position, stop.error)).unzip();
        position.write(out)?;
        word.write(out)?;
        error.write(out)
    }
}

/// How far the views are. In step with their rows, because both are committed together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last record and the last exchange folded.
    pub at: Head,
    /// Set if the next record cannot be folded.
    pub stopped: Option<Stop>,
}

impl Checkpoint {
    /// True if everything up to `head` is folded.
    pub fn covers(&self, head: Head) -> bool {
        self.at.position >= head.position && self.at.exchange_number >= head.exchange_number
    }

    /// The statement that keeps it.
    pub(crate) fn save(self, organization: OrganizationId) -> Result<Statement, Bad> {
        let Self { at: Head { position, exchange_number }, stopped } = self;
        let mut out = Vec::with_capacity(1);
        CheckpointRow::upsert(
            vec![CheckpointRow { organization, position, exchange_number, stopped }],
            &mut out,
        )?;
        Ok(out.remove(0))
    }

    /// Begins a transaction and reads it under the organization's lock.
    pub(crate) async fn begin(
        views: &dyn SqlStore,
        organization: OrganizationId,
    ) -> Result<(Box<dyn OpenTransaction>, Self), SqlError> {
        let (tx, rows) =
            views.begin_with(organization, &Self::select(), vec![organization.into()]).await?;
        Ok((tx, Self::found(rows)?))
    }

    /// Reads it under the organization's lock.
    pub(crate) async fn read(
        tx: &mut dyn SqlTransaction,
        organization: OrganizationId,
    ) -> Result<Self, SqlError> {
        Self::found(tx.query(&Self::select(), vec![organization.into()]).await?)
    }

    /// The query for that of an organization, `$1`.
    pub(crate) fn select() -> String {
        format!("SELECT {} FROM checkpoints WHERE organization = $1", CheckpointRow::list())
    }

    /// What that query found; a view that was never folded is at the beginning.
    pub(crate) fn found(rows: Vec<SqlRow>) -> Result<Self, SqlError> {
        Ok(read_first::<CheckpointRow>(rows)?.map(Self::of).unwrap_or_default())
    }

    /// Reads all of them, without a lock.
    pub async fn all(views: &dyn SqlStore) -> Result<Vec<(OrganizationId, Self)>, SqlError> {
        let rows = views
            .query(&format!("SELECT {} FROM checkpoints", CheckpointRow::list()), Vec::new())
            .await?;
        Ok(read_all::<CheckpointRow>(rows)?
            .into_iter()
            .map(|row| (row.organization, Self::of(row)))
            .collect())
    }

    fn of(row: CheckpointRow) -> Self {
        let CheckpointRow { position, exchange_number, stopped, .. } = row;
        Self { at: Head { position, exchange_number }, stopped }
    }
}

columns! {
    struct StandingRow {
        version: String,
        position: Option<Position>,
        exchange_number: Option<ExchangeNumber>,
        stopped: Option<Stop> = ("stopped_at_position", "stopped_reason", "stopped_error"),
    }
}

/// What is asked before records are folded into tables that are not known to be today's.
#[derive(Debug)]
pub(crate) struct Standing {
    /// Names the tables; see [`crate::families::schema_version`].
    pub version: String,
    /// How far they are.
    pub checkpoint: Checkpoint,
}

impl Standing {
    /// The query for it, without parameters.
    pub fn select(organization: OrganizationId) -> String {
        // An id is hexadecimal digits and dashes.
        format!(
            "SELECT {} FROM view_schema v LEFT JOIN checkpoints c ON c.organization = '{organization}'",
            StandingRow::list()
        )
    }

    /// What that query found; nothing if no table was ever made.
    pub fn found(rows: Vec<SqlRow>) -> Result<Option<Self>, SqlError> {
        let row = read_first::<StandingRow>(rows)?;
        Ok(row.map(|StandingRow { version, position, exchange_number, stopped }| Self {
            version,
            checkpoint: Checkpoint {
                at: Head {
                    position: position.unwrap_or_default(),
                    exchange_number: exchange_number.unwrap_or_default(),
                },
                stopped,
            },
        }))
    }
}
