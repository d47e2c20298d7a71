//! A view to fold inline: which positions it has seen, and how far it is. It fails on command.

use anyhow::Context as _;
use async_trait::async_trait;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Inline, InlineFold, Position, Record};
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore, SqlTransaction, SqlValue};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// What becomes of the next folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mood {
    /// They succeed.
    Good,
    /// They make nothing of their records.
    Leaves,
    /// A statement is refused, after others have written.
    Refused,
    /// A query is refused.
    CannotRead,
}

impl Mood {
    pub const BAD: [Mood; 3] = [Mood::Leaves, Mood::Refused, Mood::CannotRead];
}

#[derive(Debug, Default)]
pub struct Tally(AtomicU8);

impl Tally {
    pub fn set(&self, mood: Mood) {
        self.0.store(mood as u8, Ordering::SeqCst);
    }

    fn is(&self, mood: Mood) -> bool {
        self.0.load(Ordering::SeqCst) == mood as u8
    }
}

pub fn tables() -> Vec<(String, Vec<SqlValue>)> {
    let sql = [
        "CREATE TABLE seen (organization TEXT NOT NULL, position BIGINT NOT NULL, PRIMARY KEY (organization, position))",
        "CREATE TABLE stands (organization TEXT NOT NULL PRIMARY KEY, position BIGINT NOT NULL)",
    ];
    sql.map(|sql| (sql.to_owned(), Vec::new())).to_vec()
}

fn number(rows: &[SqlRow]) -> Position {
    match rows.first().map(|row| &row.0[..]) {
        None => 0,
        Some([SqlValue::Int(Some(n))]) => u64::try_from(*n).expect("a position"),
        Some(other) => panic!("no number: {other:?}"),
    }
}

#[async_trait]
impl InlineFold for Tally {
    fn standing(&self, organization: OrganizationId) -> String {
        format!("SELECT position FROM stands WHERE organization = '{organization}'")
    }

    async fn fold(
        &self,
        tx: &mut dyn SqlTransaction,
        standing: Vec<SqlRow>,
        organization: OrganizationId,
        records: &[Record],
    ) -> Result<Inline, SqlError> {
        if self.is(Mood::Leaves) {
            return Ok(Inline::Left);
        }
        if self.is(Mood::CannotRead) {
            tx.query("SELECT position FROM nowhere", Vec::new()).await?;
        }
        let at = number(&standing);
        let (first, last) = (records[0].position, records[records.len() - 1].position);
        if at + 1 != first {
            return Ok(Inline::Behind(at));
        }
        for (record, position) in records.iter().zip(first..) {
            assert_eq!((record.stream.organization, record.position), (organization, position));
            // Once each: a second fold of the same record is refused by the key.
            let sql = "INSERT INTO seen (organization, position) VALUES ($1, $2)";
            tx.execute(sql, vec![organization.into(), position.into()]).await?;
        }
        let mut sql = "INSERT INTO stands (organization, position) VALUES ($1, $2) ON CONFLICT (organization) DO UPDATE SET position = excluded.position".to_owned();
        if self.is(Mood::Refused) {
            sql = sql.replace("stands", "nowhere");
        }
        tx.execute_all(vec![(sql, vec![organization.into(), last.into()])]).await?;
        Ok(Inline::Folded)
    }
}

/// How far the view is, and that it has seen exactly that much.
pub async fn stands(
    views: &Arc<dyn SqlStore>,
    organization: OrganizationId,
) -> anyhow::Result<Position> {
    let sql = "SELECT (SELECT COUNT(*) FROM seen WHERE organization = $1), (SELECT COALESCE(MAX(position), 0) FROM seen WHERE organization = $1), COALESCE((SELECT position FROM stands WHERE organization = $1), 0)";
    let rows = views.query(sql, vec![organization.into()]).await?;
    let row = rows.into_iter().next().context("no row")?;
    let [SqlValue::Int(Some(count)), SqlValue::Int(Some(last)), SqlValue::Int(Some(at))] =
        row.0[..]
    else {
        anyhow::bail!("not three numbers: {row:?}");
    };
    anyhow::ensure!(count == last && last == at, "seen {count}, up to {last}, stands at {at}");
    Ok(u64::try_from(at)?)
}
