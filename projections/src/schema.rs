//! All tables, and whether a store has them in today's shape.

use crate::checkpoint::CHECKPOINTS;
use crate::directory::{EMAILS, GROUPS, MEMBERS, USERS};
use crate::exchanges::EXCHANGES;
use crate::organizations::{ORGANIZATIONS, TOKENS};
use crate::table::Table;
use crate::text::stable_hash;
use rollcall_domain::sql::{SqlError, SqlStore};

/// Raise this when a fold gives other rows than before from the same records, so that views made
/// by older code are rebuilt.
const FOLD_VERSION: &str = "1";

/// The tables whose rows come from folding.
pub const TABLES: [&Table; 7] = [&USERS, &EMAILS, &GROUPS, &MEMBERS, &ORGANIZATIONS, &TOKENS, &EXCHANGES];

/// What [`prepare`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// Nothing; the tables are made and empty.
    Created,
    /// Tables of today's shape.
    Ready,
    /// Tables of another version. They were not touched: rebuild.
    Outdated,
}

/// Names today's tables and folds.
pub fn schema_version() -> String {
    let ddl = ddl();
    format!("{:016x}", stable_hash(ddl.iter().map(String::as_str).chain([FOLD_VERSION])))
}

fn ddl() -> Vec<String> {
    TABLES.into_iter().chain([&CHECKPOINTS]).flat_map(Table::ddl).collect()
}

/// Makes the tables if there are none; else says whether they have today's shape.
pub async fn prepare(store: &dyn SqlStore) -> Result<Prepared, SqlError> {
    // Exclusive, because several processes may start at once.
    let mut tx = store.begin_exclusive().await?;
    tx.execute("CREATE TABLE IF NOT EXISTS view_schema (version TEXT NOT NULL, PRIMARY KEY (version))", Vec::new()).await?;
    let found = tx.query("SELECT version FROM view_schema", Vec::new()).await?;
    if let Some(row) = found.first() {
        return Ok(if row.text(0)? == schema_version() { Prepared::Ready } else { Prepared::Outdated });
    }
    let mut statements: Vec<_> = ddl().into_iter().map(|sql| (sql, Vec::new())).collect();
    statements.push(("INSERT INTO view_schema (version) VALUES ($1)".to_owned(), vec![schema_version().into()]));
    tx.execute_all(statements).await?;
    tx.commit().await?;
    Ok(Prepared::Created)
}
