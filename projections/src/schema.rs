//! All tables, and whether a store has them in today's shape.

use crate::checkpoint::CHECKPOINTS;
use crate::table::Table;
use crate::text::stable_hash;
use crate::{audit, live};
use rollcall_domain::sql::{Family, SqlError, SqlStore};

/// The tables of a family whose rows come from folding.
pub fn tables(family: Family) -> &'static [&'static Table] {
    match family {
        Family::Live => live::TABLES,
        Family::Audit => audit::TABLES,
    }
}

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

/// Names a family's tables and folds of today.
pub fn schema_version(family: Family) -> String {
    let fold_version = match family {
        Family::Live => live::FOLD_VERSION,
        Family::Audit => audit::FOLD_VERSION,
    };
    format!("{:016x}", stable_hash(ddl(family).iter().map(String::as_str).chain([fold_version])))
}

fn ddl(family: Family) -> Vec<String> {
    tables(family).iter().chain([&&CHECKPOINTS]).flat_map(|table| table.ddl()).collect()
}

/// Makes a family's tables if there are none; else says whether they have today's shape.
pub async fn prepare(family: Family, store: &dyn SqlStore) -> Result<Prepared, SqlError> {
    let version = schema_version(family);
    // Exclusive, because several processes may start at once.
    let mut tx = store.begin_exclusive().await?;
    tx.execute("CREATE TABLE IF NOT EXISTS view_schema (version TEXT NOT NULL, PRIMARY KEY (version))", Vec::new()).await?;
    let found = tx.query("SELECT version FROM view_schema", Vec::new()).await?;
    if let Some(row) = found.first() {
        return Ok(if row.text(0)? == version { Prepared::Ready } else { Prepared::Outdated });
    }
    let mut statements: Vec<_> = ddl(family).into_iter().map(|sql| (sql, Vec::new())).collect();
    statements.push(("INSERT INTO view_schema (version) VALUES ($1)".to_owned(), vec![version.into()]));
    tx.execute_all(statements).await?;
    tx.commit().await?;
    Ok(Prepared::Created)
}
