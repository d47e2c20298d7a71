//! Between the port's values and PostgreSQL's.

use crate::fault::{Fault, fault};
use rollcall_domain::sql::{SqlError, SqlRow, SqlValue};
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgArguments, PgDatabaseError, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{Column as _, Row as _, TypeInfo as _};

/// A failure in the port's words.
pub(crate) fn sql_error(e: sqlx::Error) -> SqlError {
    match fault(&e) {
        Fault::Lost | Fault::Away | Fault::Conflict => SqlError::Unavailable(e.to_string()),
        // The tables changed their shape under a statement that was prepared before.
        Fault::Refused if is_stale(&e) => SqlError::Unavailable(e.to_string()),
        Fault::Refused => SqlError::Refused(e.to_string()),
        Fault::Unreadable => SqlError::Shape(e.to_string()),
    }
}

/// A prepared statement whose columns are others now; the connection must forget it.
pub(super) fn is_stale(e: &sqlx::Error) -> bool {
    // The message is in the language of the server; the name of the server's function is not.
    let routine = |e: &dyn DatabaseError| {
        e.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::routine)
            == Some("RevalidateCachedQuery")
    };
    matches!(e, sqlx::Error::Database(e) if e.code().as_deref() == Some("0A000") && routine(&**e))
}

pub(super) fn bind<'q>(sql: &'q str, params: &'q [SqlValue]) -> Query<'q, Postgres, PgArguments> {
    params.iter().fold(sqlx::query(sql), |query, param| match param {
        SqlValue::Text(text) => query.bind(text.as_deref()),
        SqlValue::Int(n) => query.bind(*n),
    })
}

pub(super) fn rows(rows: &[PgRow]) -> Result<Vec<SqlRow>, SqlError> {
    rows.iter().map(row).collect()
}

/// One row.
pub(crate) fn row(row: &PgRow) -> Result<SqlRow, SqlError> {
    (0..row.len()).map(|i| value(row, i)).collect::<Result<_, _>>().map(SqlRow)
}

fn value(row: &PgRow, i: usize) -> Result<SqlValue, SqlError> {
    let value = match row.column(i).type_info().name() {
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" => row.try_get(i).map(SqlValue::Text),
        "INT8" => row.try_get(i).map(SqlValue::Int),
        "INT4" => row.try_get::<Option<i32>, _>(i).map(|n| SqlValue::Int(n.map(i64::from))),
        // SQLite says 0 and 1.
        "BOOL" => row.try_get::<Option<bool>, _>(i).map(|b| SqlValue::Int(b.map(i64::from))),
        other => return Err(SqlError::Shape(format!("column {i} is {other}"))),
    };
    value.map_err(sql_error)
}
