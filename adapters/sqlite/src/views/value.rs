//! Between the port's values and SQLite's.

use rollcall_domain::sql::{SqlError, SqlRow, SqlValue};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, Statement, ToSql};

/// A failure in the port's words.
pub(super) fn sql_error(e: rusqlite::Error) -> SqlError {
    use ErrorCode::*;
    match e.sqlite_error_code() {
        Some(
            SystemIoFailure
            | DiskFull
            | CannotOpen
            | DatabaseBusy
            | DatabaseLocked
            | OutOfMemory
            | ReadOnly
            | PermissionDenied
            | FileLockingProtocolFailed,
        ) => SqlError::Unavailable(e.to_string()),
        _ => SqlError::Refused(e.to_string()),
    }
}

/// Runs a query and gives its rows.
pub(super) fn query(
    db: &Connection,
    sql: &str,
    params: &[SqlValue],
) -> Result<Vec<SqlRow>, SqlError> {
    let mut statement = db.prepare_cached(sql).map_err(sql_error)?;
    bind(&mut statement, params)?;
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(sql_error)? {
        let width = row.as_ref().column_count();
        found.push(SqlRow(
            (0..width)
                .map(|i| value(i, row.get_ref(i).map_err(sql_error)?))
                .collect::<Result<_, _>>()?,
        ));
    }
    Ok(found)
}

/// Runs a write and gives the number of rows touched.
pub(super) fn execute(db: &Connection, sql: &str, params: &[SqlValue]) -> Result<u64, SqlError> {
    let mut statement = db.prepare_cached(sql).map_err(sql_error)?;
    bind(&mut statement, params)?;
    statement.raw_execute().map(|n| n as u64).map_err(sql_error)
}

/// Binds in order: by the port's rule `$1..$n` are numbered in the order in which they first
/// appear, which is how SQLite, to which `$2` is a name like any other, numbers them too.
fn bind(statement: &mut Statement<'_>, params: &[SqlValue]) -> Result<(), SqlError> {
    let wanted = statement.parameter_count();
    if wanted != params.len() {
        return Err(SqlError::Refused(format!(
            "the statement has {wanted} parameters, {} were given",
            params.len()
        )));
    }
    for (index, param) in (1..).zip(params) {
        // Looking a name up costs a walk over all names: only where tests run.
        debug_assert_eq!(
            statement.parameter_name(index),
            Some(format!("${index}").as_str()),
            "parameters out of order"
        );
        statement.raw_bind_parameter(index, Bound(param)).map_err(sql_error)?;
    }
    Ok(())
}

struct Bound<'a>(&'a SqlValue);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            SqlValue::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            SqlValue::Int(Some(n)) => ValueRef::Integer(*n),
            SqlValue::Text(None) | SqlValue::Int(None) => ValueRef::Null,
        }))
    }
}

fn value(column: usize, value: ValueRef<'_>) -> Result<SqlValue, SqlError> {
    match value {
        ValueRef::Null => Ok(SqlValue::Text(None)),
        ValueRef::Integer(n) => Ok(SqlValue::Int(Some(n))),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Ok(SqlValue::Text(Some(text.to_owned()))),
            Err(e) => Err(SqlError::Shape(format!("column {column}: {e}"))),
        },
        ValueRef::Real(_) | ValueRef::Blob(_) => {
            Err(SqlError::Shape(format!("column {column} is {}", value.data_type())))
        }
    }
}
