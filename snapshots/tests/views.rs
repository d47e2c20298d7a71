//! One golden file for each view and revision: its tables, and the rows that its fold makes of one
//! log. Who changes either raises `REVISION`, by which the tables of the family are made anew.

mod story;

use rollcall_domain::log::Log;
use rollcall_domain::sql::{Family, SqlStore, SqlValue};
use rollcall_projections::families::{schema_version, views};
use rollcall_projections::fold::Folder;
use rollcall_projections::table::{Kind, Table};
use rollcall_sqlite::{SqliteLog, SqliteViews};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

fn declared(table: &Table) -> String {
    let columns = table.columns.iter().map(|column| {
        let kind = if column.kind == Kind::Text { "text" } else { "int" };
        format!("  {}: {kind}{}\n", column.name, if column.null { " or null" } else { "" })
    });
    let indexes = table.indexes.iter().map(|index| format!("  index {}\n", index.join(", ")));
    let rest = format!(
        "  key {}\n{}  order {}\n",
        table.key.join(", "),
        indexes.collect::<String>(),
        table.order
    );
    format!("table {}\n{}{rest}", table.name, columns.collect::<String>())
}

async fn rows(table: &Table, views: &dyn SqlStore) -> String {
    let sql =
        format!("SELECT {} FROM {} ORDER BY {}", table.all(), table.name, table.key.join(", "));
    let rows = views.query(&sql, Vec::new()).await.expect("the rows");
    let shown = rows.iter().enumerate().map(|(n, row)| {
        let values = table.columns.iter().zip(&row.0).map(|(column, value)| match value {
            SqlValue::Text(Some(text)) => format!("  {}: {text}\n", column.name),
            SqlValue::Int(Some(i64::MAX)) => format!("  {}: the greatest integer\n", column.name),
            SqlValue::Int(Some(number)) => format!("  {}: {number}\n", column.name),
            SqlValue::Text(None) | SqlValue::Int(None) => String::new(),
        });
        format!("row {} of {}\n{}", n + 1, table.name, values.collect::<String>())
    });
    shown.collect()
}

#[tokio::test]
async fn another_table_or_fold_is_another_revision() {
    let log = Arc::new(SqliteLog::in_memory().expect("a log"));
    log.restore(story::log()).await.expect("a story");
    for family in Family::ALL {
        let store: Arc<dyn SqlStore> = Arc::new(SqliteViews::in_memory().expect("a store"));
        // In small pages, so that what one page writes is what the next begins with.
        let folder = Folder::new(family, log.clone(), store.clone()).with_page(4);
        folder.prepare().await.expect("tables");
        folder.fold(story::ORGANIZATION).await.expect("a story that can be folded");
        for view in views(family) {
            let mut golden = format!(
                "view {}, revision {}, family {}\n",
                view.name,
                view.revision,
                family.as_str()
            );
            for table in view.tables {
                golden += &format!("\n{}", declared(table));
            }
            for table in view.tables {
                let rows = rows(table, &*store).await;
                assert!(!rows.is_empty(), "the story leaves {} empty", table.name);
                golden += &format!("\n{rows}");
            }
            insta::with_settings!({ snapshot_path => "../views", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(format!("{}-{}", view.name, view.revision), golden);
            });
        }
    }
}

#[test]
fn every_golden_file_is_that_of_a_view_of_today() {
    let views = Family::ALL
        .into_iter()
        .flat_map(views)
        .map(|view| format!("{}-{}.snap", view.name, view.revision));
    let today: BTreeSet<String> = views.chain(["versions.snap".to_owned()]).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("views");
    let files = std::fs::read_dir(folder)
        .expect("the golden files")
        .map(|entry| entry.expect("a file").file_name());
    let found: BTreeSet<String> = files
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".snap"))
        .collect();
    assert_eq!(found, today, "a revision that is no more has no file");
}

/// What the families are called in the stores of those who run this version: another name makes
/// their tables anew.
#[test]
fn versions() {
    let versions: String = Family::ALL
        .into_iter()
        .map(|family| format!("{} {}\n", family.as_str(), schema_version(family)))
        .collect();
    insta::with_settings!({ snapshot_path => "../views", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("versions", versions);
    });
}
