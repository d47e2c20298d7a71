//! The tables of a list of views, and whether a store has them in today's shape. Which views there
//! are is not known here: [`crate::families`] stands above them.

use crate::checkpoint::CHECKPOINTS;
use crate::columns::read_first;
use crate::table::Table;
use crate::text::stable_hash;
use crate::view::Definition;
use rollcall_domain::sql::{SqlError, SqlStore};
use uuid::Uuid;

/// What [`crate::families::prepare`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// Nothing; the tables are made and empty.
    Created,
    /// Tables of today's shape.
    Ready,
    /// Tables of another version. They were not touched: rebuild.
    Outdated,
}

/// Makes the tables of what is kept beside log and views, those that are not there.
///
/// # Errors
/// If the store cannot be reached.
pub(crate) async fn make(store: &dyn SqlStore, tables: &[&Table]) -> Result<(), SqlError> {
    let mut tx = store.begin_exclusive().await?;
    let statements = tables.iter().flat_map(|table| table.ddl()).map(|sql| (sql, Vec::new()));
    tx.execute_all(statements.collect()).await?;
    tx.commit().await
}

/// Names the tables and folds of views.
pub(crate) fn version(fold_version: &str, views: &[Definition]) -> String {
    let mut parts = ddl(views);
    parts.push(fold_version.to_owned());
    // First revisions are left out: the fold versions of the families are older than they.
    parts.extend(
        views
            .iter()
            .filter(|view| view.revision > 1)
            .map(|view| format!("{}-{}", view.name, view.revision)),
    );
    format!("{:016x}", stable_hash(parts.iter().map(String::as_str)))
}

/// The epoch of the log of which views are made; `epoch` from now on, if that is not known.
pub(crate) async fn made_of(store: &dyn SqlStore, epoch: Uuid) -> Result<Uuid, SqlError> {
    let mut tx = store.begin_exclusive().await?;
    tx.execute(
        "CREATE TABLE IF NOT EXISTS view_log (epoch TEXT NOT NULL, PRIMARY KEY (epoch))",
        Vec::new(),
    )
    .await?;
    let found = tx.query("SELECT epoch FROM view_log", Vec::new()).await?;
    if let Some(found) = read_first::<String>(found)? {
        return found.parse().map_err(|_| SqlError::Shape("an epoch that is none".into()));
    }
    let keep = "INSERT INTO view_log (epoch) VALUES ($1)";
    tx.execute(keep, vec![epoch.to_string().into()]).await?;
    tx.commit().await?;
    Ok(epoch)
}

fn ddl(views: &[Definition]) -> Vec<String> {
    views
        .iter()
        .flat_map(|view| view.tables)
        .copied()
        .chain([&CHECKPOINTS])
        .flat_map(Table::ddl)
        .collect()
}

/// Makes the tables of views if there are none; else says whether they are those of this version.
pub(crate) async fn prepare(
    version: String,
    views: &[Definition],
    store: &dyn SqlStore,
) -> Result<Prepared, SqlError> {
    // Exclusive, because several processes may start at once.
    let mut tx = store.begin_exclusive().await?;
    tx.execute(
        "CREATE TABLE IF NOT EXISTS view_schema (version TEXT NOT NULL, PRIMARY KEY (version))",
        Vec::new(),
    )
    .await?;
    let found = tx.query("SELECT version FROM view_schema", Vec::new()).await?;
    if let Some(found) = read_first::<String>(found)? {
        return Ok(if found == version { Prepared::Ready } else { Prepared::Outdated });
    }
    let mut statements: Vec<_> = ddl(views).into_iter().map(|sql| (sql, Vec::new())).collect();
    statements
        .push(("INSERT INTO view_schema (version) VALUES ($1)".to_owned(), vec![version.into()]));
    tx.execute_all(statements).await?;
    tx.commit().await?;
    Ok(Prepared::Created)
}
