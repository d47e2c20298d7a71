//! All tables, and whether a store has them in today's shape.

use crate::checkpoint::CHECKPOINTS;
use crate::columns::read_first;
use crate::table::Table;
use crate::text::stable_hash;
use crate::view::Definition;
use crate::{audit, live};
use rollcall_domain::sql::{Family, SqlError, SqlStore};

/// The views of a family.
pub fn views(family: Family) -> &'static [Definition] {
    match family {
        Family::Live => live::VIEWS,
        Family::Audit => audit::VIEWS,
    }
}

/// The tables of a family whose rows come from folding.
pub fn tables(family: Family) -> Vec<&'static Table> {
    views(family).iter().flat_map(|view| view.tables).copied().collect()
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

/// Names a family's tables and folds of today: another one where a table, the fold version of the
/// family or the revision of a view is another.
pub fn schema_version(family: Family) -> String {
    let fold_version = match family {
        Family::Live => live::FOLD_VERSION,
        Family::Audit => audit::FOLD_VERSION,
    };
    version(fold_version, views(family))
}

fn version(fold_version: &str, views: &[Definition]) -> String {
    let mut parts = ddl(views);
    parts.push(fold_version.to_owned());
    // First revisions are left out: the fold versions of the families are older than they.
    parts.extend(views.iter().filter(|view| view.revision > 1).map(|view| format!("{}-{}", view.name, view.revision)));
    format!("{:016x}", stable_hash(parts.iter().map(String::as_str)))
}

fn ddl(views: &[Definition]) -> Vec<String> {
    views.iter().flat_map(|view| view.tables).copied().chain([&CHECKPOINTS]).flat_map(Table::ddl).collect()
}

/// Makes a family's tables if there are none; else says whether they have today's shape.
pub async fn prepare(family: Family, store: &dyn SqlStore) -> Result<Prepared, SqlError> {
    let version = schema_version(family);
    // Exclusive, because several processes may start at once.
    let mut tx = store.begin_exclusive().await?;
    tx.execute("CREATE TABLE IF NOT EXISTS view_schema (version TEXT NOT NULL, PRIMARY KEY (version))", Vec::new()).await?;
    let found = tx.query("SELECT version FROM view_schema", Vec::new()).await?;
    if let Some(found) = read_first::<String>(found)? {
        return Ok(if found == version { Prepared::Ready } else { Prepared::Outdated });
    }
    let mut statements: Vec<_> = ddl(views(family)).into_iter().map(|sql| (sql, Vec::new())).collect();
    statements.push(("INSERT INTO view_schema (version) VALUES ($1)".to_owned(), vec![version.into()]));
    tx.execute_all(statements).await?;
    tx.commit().await?;
    Ok(Prepared::Created)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn another_revision_is_another_version() {
        for family in Family::ALL {
            let now = schema_version(family);
            for n in 0..views(family).len() {
                let mut changed = views(family).to_vec();
                changed[n].revision += 1;
                assert_ne!(version("1", &changed), version("1", views(family)), "{}", changed[n].name);
            }
            assert_eq!(now, schema_version(family));
        }
    }

    #[test]
    fn views_have_names_of_their_own_and_tables_the_columns_that_they_speak_of() {
        let all: Vec<&Definition> = Family::ALL.into_iter().flat_map(views).collect();
        assert_eq!(all.iter().map(|view| view.name).collect::<BTreeSet<_>>().len(), all.len());
        for table in all.iter().flat_map(|view| view.tables).copied().chain([&CHECKPOINTS]) {
            let columns: BTreeSet<&str> = table.columns.iter().map(|c| c.name).collect();
            assert_eq!(columns.len(), table.columns.len(), "{} has a column twice", table.name);
            let mut meant = table.key.iter().chain(table.indexes.iter().copied().flatten()).chain([&table.order, &"organization"]);
            assert!(meant.all(|column| columns.contains(column)), "{}", table.name);
        }
    }
}
