//! The contract of the views' tables.

mod scratch;
mod transactions;

mod transactions_contract {
    contract!(super::super::transactions, views:
        rows_come_back_with_their_types
        a_parameter_may_appear_twice
        a_wrong_statement_is_refused
        a_dropped_transaction_is_rolled_back
        a_failed_statement_fails_its_transaction
        several_writes_are_one_call
        readers_see_what_is_committed_and_do_not_wait
        an_organization_has_one_writer
        the_exclusive_writer_is_alone
        a_begin_that_is_given_up_leaves_nothing_locked
    );
}
mod scratch_contract {
    contract!(super::super::scratch, views:
        a_scratch_store_is_empty_and_apart
        a_scratch_store_is_written_while_the_live_one_is_locked
        a_promoted_scratch_store_is_live
        prepared_statements_survive_a_promotion
        writers_who_waited_write_to_the_new_tables
        only_a_scratch_store_is_promoted
    );
}

use rollcall_domain::sql::{SqlError, SqlRow, SqlStore, SqlValue};

/// The one value that a query gave.
pub fn only(rows: Vec<SqlRow>) -> SqlValue {
    let mut values = rows.into_iter().flat_map(|row| row.0);
    match (values.next(), values.next()) {
        (Some(value), None) => value,
        other => panic!("not one value: {other:?}"),
    }
}

/// The one number that a query gave.
pub fn number(rows: Vec<SqlRow>) -> i64 {
    match only(rows) {
        SqlValue::Int(Some(n)) => n,
        other => panic!("no number: {other:?}"),
    }
}

/// A table with one row for each of a few names.
async fn counters(views: &dyn SqlStore, names: &[&str]) -> Result<(), SqlError> {
    let mut transaction = views.begin_exclusive().await?;
    transaction
        .execute(
            "CREATE TABLE counter (name TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL, note TEXT)",
            vec![],
        )
        .await?;
    for name in names {
        transaction
            .execute(
                "INSERT INTO counter (name, n) VALUES ($1, $2)",
                vec![(*name).into(), 0_i64.into()],
            )
            .await?;
    }
    transaction.commit().await
}

async fn count(views: &dyn SqlStore, name: &str) -> Result<i64, SqlError> {
    Ok(number(views.query("SELECT n FROM counter WHERE name = $1", vec![name.into()]).await?))
}
