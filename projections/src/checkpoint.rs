//! How far an organization's views are folded, and whether they stopped.

use crate::table::{Statement, Table, int, optional_int, optional_text, text};
use crate::text::{count, id};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Head, Position};
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore, SqlTransaction, SqlValue};

/// One row for each organization.
pub const CHECKPOINTS: Table = Table {
    name: "checkpoints",
    columns: &[
        text("organization"),
        int("position"),
        int("exchange_number"),
        optional_int("stopped_at_position"),
        optional_text("stopped_error"),
    ],
    key: &["organization"],
    indexes: &[],
    order: "position",
};

/// Why and where an organization's views stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The record that cannot be folded.
    pub position: Position,
    /// Why; never a payload.
    pub error: String,
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
    pub(crate) fn save(&self, organization: OrganizationId) -> Statement {
        let mut out = Vec::with_capacity(1);
        let row = vec![
            organization.into(),
            self.at.position.into(),
            self.at.exchange_number.into(),
            SqlValue::Int(self.stopped.as_ref().map(|s| i64::try_from(s.position).unwrap_or(i64::MAX))),
            self.stopped.as_ref().map(|s| s.error.clone()).into(),
        ];
        CHECKPOINTS.upsert(vec![row], &mut out);
        out.remove(0)
    }

    /// Begins a transaction and reads it under the organization's lock.
    pub(crate) async fn begin(views: &dyn SqlStore, organization: OrganizationId) -> Result<(Box<dyn SqlTransaction>, Self), SqlError> {
        let (tx, rows) = views.begin_with(organization, &Self::select(), vec![organization.into()]).await?;
        Ok((tx, Self::first(&rows)?))
    }

    /// Reads it under the organization's lock.
    pub(crate) async fn read(tx: &mut dyn SqlTransaction, organization: OrganizationId) -> Result<Self, SqlError> {
        Self::first(&tx.query(&Self::select(), vec![organization.into()]).await?)
    }

    fn select() -> String {
        format!("SELECT {} FROM checkpoints WHERE organization = $1", CHECKPOINTS.all())
    }

    fn first(rows: &[SqlRow]) -> Result<Self, SqlError> {
        rows.first().map_or_else(|| Ok(Self::default()), |row| Ok(Self::from_row(row)?.1))
    }

    /// Reads all of them, without a lock.
    pub async fn all(views: &dyn SqlStore) -> Result<Vec<(OrganizationId, Self)>, SqlError> {
        let rows = views.query(&format!("SELECT {} FROM checkpoints", CHECKPOINTS.all()), Vec::new()).await?;
        rows.iter().map(Self::from_row).collect()
    }

    fn from_row(row: &SqlRow) -> Result<(OrganizationId, Self), SqlError> {
        let stopped = match row.optional_int(3)? {
            None => None,
            Some(position) => Some(Stop { position: count(position)?, error: row.optional_text(4)?.unwrap_or_default().to_owned() }),
        };
        let at = Head { position: count(row.int(1)?)?, exchange_number: count(row.int(2)?)? };
        Ok((id(row.text(0)?)?, Self { at, stopped }))
    }
}
