//! The two families: the views of each, and their tables.

use crate::schema::{self, Prepared, version};
use crate::table::Table;
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

/// Names a family's tables and folds of today: another one where a table, the fold version of the
/// family or the revision of a view is another.
pub fn schema_version(family: Family) -> String {
    let fold_version = match family {
        Family::Live => live::FOLD_VERSION,
        Family::Audit => audit::FOLD_VERSION,
    };
    version(fold_version, views(family))
}

/// Makes a family's tables if there are none; else says whether they have today's shape.
pub async fn prepare(family: Family, store: &dyn SqlStore) -> Result<Prepared, SqlError> {
    schema::prepare(schema_version(family), views(family), store).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::CHECKPOINTS;
    use std::collections::BTreeSet;

    #[test]
    fn another_revision_is_another_version() {
        for family in Family::ALL {
            let now = schema_version(family);
            for n in 0..views(family).len() {
                let mut changed = views(family).to_vec();
                changed[n].revision += 1;
                assert_ne!(
                    version("1", &changed),
                    version("1", views(family)),
                    "{}",
                    changed[n].name
                );
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
            let mut meant = table
                .key
                .iter()
                .chain(table.indexes.iter().copied().flatten())
                .chain([&table.order, &"organization"]);
            assert!(meant.all(|column| columns.contains(column)), "{}", table.name);
        }
    }
}
