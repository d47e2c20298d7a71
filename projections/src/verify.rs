//! Compares the views of a family with what the log says they should be, row by row.

use crate::checkpoint::{Checkpoint, Stop};
use crate::columns::read_all;
use crate::families::{prepare, tables};
use crate::fold::{FoldError, Folder};
use crate::table::Table;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Head, Log};
use rollcall_domain::sql::{Family, SqlError, SqlRow, SqlStore, SqlTransaction, SqlValue};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// One row that differs. Rows hold personal data: show them to the operator only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// The row's primary key.
    pub key: Vec<String>,
    /// The live row; absent if it is missing there.
    pub live: Option<String>,
    /// The row as the log gives it; absent if there should be none.
    pub rebuilt: Option<String>,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Rows compared.
    pub rows: u64,
    /// How many differ.
    pub count: u64,
    /// The first of them.
    pub shown: Vec<Difference>,
    /// Organizations that could not be compared, because a record cannot be folded.
    pub stopped: Vec<(Family, OrganizationId, Stop)>,
}

impl Differences {
    /// At most this many are shown.
    pub const SHOWN: usize = 100;

    fn add(
        &mut self,
        table: &'static str,
        key: Vec<String>,
        live: Option<&SqlRow>,
        rebuilt: Option<&SqlRow>,
    ) {
        self.count += 1;
        if self.shown.len() < Self::SHOWN {
            self.shown.push(Difference {
                table,
                key,
                live: live.map(shown),
                rebuilt: rebuilt.map(shown),
            });
        }
    }

    /// Adds what another comparison found.
    pub fn merge(&mut self, other: Differences) {
        self.rows += other.rows;
        self.count += other.count;
        self.stopped.extend(other.stopped);
        self.shown.extend(other.shown.into_iter().take(Self::SHOWN - self.shown.len()));
    }
}

const PAGE: usize = 1_000;
/// So often an organization is compared while it may change; then its folding is held.
const FREE_TRIES: usize = 3;

/// Folds the log into a scratch copy, each organization up to its live checkpoint, and compares.
pub async fn verify(
    family: Family,
    log: Arc<dyn Log>,
    views: Arc<dyn SqlStore>,
) -> Result<Differences, FoldError> {
    let scratch = views.scratch().await?;
    prepare(family, &*scratch).await?;
    let folder = Folder::new(family, log, Arc::clone(&scratch)).with_page(Folder::LARGE_PAGE);
    let mut found = Differences::default();
    for organization in organizations(&folder, &*views).await? {
        match one(&folder, &*views, &*scratch, organization).await {
            Ok(compared) => found.merge(compared),
            Err(FoldError::Stopped { position, reason, error, .. }) => {
                found.stopped.push((family, organization, Stop { position, reason, error }));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

impl Folder {
    /// Compares its views with the log.
    pub async fn verify(&self) -> Result<Differences, FoldError> {
        if self.is_outdated() {
            return Err(FoldError::Outdated { family: self.family });
        }
        verify(self.family, Arc::clone(&self.log), Arc::clone(&self.views)).await
    }
}

/// Every organization with a log, a checkpoint or a row.
async fn organizations(
    folder: &Folder,
    views: &dyn SqlStore,
) -> Result<BTreeSet<OrganizationId>, FoldError> {
    let mut all: BTreeSet<_> =
        folder.log.heads().await?.into_iter().map(|(organization, _)| organization).collect();
    all.extend(Checkpoint::all(views).await?.into_iter().map(|(organization, _)| organization));
    for table in tables(folder.family) {
        let rows = views
            .query(&format!("SELECT DISTINCT organization FROM {}", table.name), Vec::new())
            .await?;
        all.extend(read_all::<OrganizationId>(rows)?);
    }
    Ok(all)
}

async fn one(
    folder: &Folder,
    views: &dyn SqlStore,
    scratch: &dyn SqlStore,
    organization: OrganizationId,
) -> Result<Differences, FoldError> {
    for _ in 0..FREE_TRIES {
        let before = checkpoint(&mut Reader::Store(views), organization).await?;
        let found =
            compare(folder, &mut Reader::Store(views), scratch, organization, before).await?;
        if checkpoint(&mut Reader::Store(views), organization).await? == before {
            return Ok(found);
        }
    }
    let mut tx = views.begin(organization).await?;
    let mut live = Reader::Held(&mut *tx);
    let held = checkpoint(&mut live, organization).await?;
    compare(folder, &mut live, scratch, organization, held).await
}

/// The live views, free or held still.
enum Reader<'a> {
    Store(&'a dyn SqlStore),
    Held(&'a mut dyn SqlTransaction),
}

impl Reader<'_> {
    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        match self {
            Reader::Store(store) => store.query(sql, params).await,
            Reader::Held(tx) => tx.query(sql, params).await,
        }
    }
}

async fn checkpoint(live: &mut Reader<'_>, organization: OrganizationId) -> Result<Head, SqlError> {
    Ok(Checkpoint::found(live.query(&Checkpoint::select(), vec![organization.into()]).await?)?.at)
}

async fn compare(
    folder: &Folder,
    live: &mut Reader<'_>,
    scratch: &dyn SqlStore,
    organization: OrganizationId,
    at: Head,
) -> Result<Differences, FoldError> {
    let head = folder.log.head(organization).await?;
    if at.position > head.position || at.exchange_number > head.exchange_number {
        return Err(FoldError::Ahead { position: at.position, head: head.position });
    }
    folder.reach(organization, at).await?;
    let mut found = Differences::default();
    for table in tables(folder.family) {
        compare_table(table, live, scratch, organization, &mut found).await?;
    }
    Ok(found)
}

async fn compare_table(
    table: &'static Table,
    live: &mut Reader<'_>,
    scratch: &dyn SqlStore,
    organization: OrganizationId,
    found: &mut Differences,
) -> Result<(), FoldError> {
    let select = format!(
        "SELECT {} FROM {} WHERE organization = $1 AND {}",
        table.all(),
        table.name,
        table.order
    );
    let mut low = i64::MIN;
    loop {
        let (rows, high) = page(live, &select, table, organization, low).await?;
        let range = format!("{select} > $2 AND {} <= $3", table.order);
        let rebuilt =
            scratch.query(&range, vec![organization.into(), low.into(), high.into()]).await?;
        let mut expected: BTreeMap<Vec<String>, SqlRow> =
            rebuilt.into_iter().map(|row| (key(table, &row), row)).collect();
        let live_rows: HashMap<Vec<String>, SqlRow> =
            rows.into_iter().map(|row| (key(table, &row), row)).collect();
        for (key, row) in live_rows {
            found.rows += 1;
            match expected.remove(&key) {
                Some(same) if same == row => {}
                other => found.add(table.name, key, Some(&row), other.as_ref()),
            }
        }
        for (key, row) in expected {
            found.add(table.name, key, None, Some(&row));
        }
        if high == i64::MAX {
            return Ok(());
        }
        low = high;
    }
}

/// The next rows, with all that share the last one's place; and up to which place that is.
async fn page(
    live: &mut Reader<'_>,
    select: &str,
    table: &Table,
    organization: OrganizationId,
    low: i64,
) -> Result<(Vec<SqlRow>, i64), SqlError> {
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let sql = format!("{select} > $2 ORDER BY {} LIMIT $3", table.order);
    let mut rows = live.query(&sql, vec![organization.into(), low.into(), limit.into()]).await?;
    if rows.len() < PAGE {
        return Ok((rows, i64::MAX));
    }
    let place = |row: &SqlRow| match table.value(row, table.order) {
        Some(SqlValue::Int(place)) => *place,
        _ => None,
    };
    let high = rows
        .last()
        .and_then(place)
        .ok_or_else(|| SqlError::Shape(format!("{} is not ordered by integers", table.name)))?;
    rows.retain(|row| place(row).is_some_and(|n| n < high));
    rows.extend(
        live.query(&format!("{select} = $2"), vec![organization.into(), high.into()]).await?,
    );
    Ok((rows, high))
}

fn key(table: &Table, row: &SqlRow) -> Vec<String> {
    table.key.iter().filter_map(|column| table.value(row, column)).map(value).collect()
}

fn shown(row: &SqlRow) -> String {
    row.0.iter().map(value).collect::<Vec<_>>().join(" | ")
}

fn value(value: &SqlValue) -> String {
    match value {
        SqlValue::Text(Some(text)) => text.clone(),
        SqlValue::Int(Some(n)) => n.to_string(),
        SqlValue::Text(None) | SqlValue::Int(None) => "null".to_owned(),
    }
}
