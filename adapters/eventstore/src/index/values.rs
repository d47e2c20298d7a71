//! Between the domain's values and columns.

use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, Type, ValueRef};
use rusqlite::{OptionalExtension as _, Params, Row};
use uuid::Uuid;

/// An id in a column.
pub(super) struct Id(pub Uuid);

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Uuid::from_slice(value.as_blob()?).map(Id).map_err(|e| FromSqlError::Other(Box::new(e)))
    }
}

/// The integer for a revision, position, number, version or limit. What is beyond is past every
/// row.
pub(super) fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A stream from three columns: organization, kind, id.
pub(super) fn stream(row: &Row<'_>, column: usize) -> rusqlite::Result<StreamId> {
    let kind = row.get_ref(column + 1)?.as_str()?;
    let unknown = || {
        rusqlite::Error::FromSqlConversionFailure(
            column + 1,
            Type::Text,
            "unknown kind of aggregate".into(),
        )
    };
    Ok(StreamId {
        organization: OrganizationId(row.get::<_, Id>(column)?.0),
        kind: AggregateKind::parse(kind).ok_or_else(unknown)?,
        id: row.get::<_, Id>(column + 2)?.0,
    })
}

/// All rows of a query.
pub(super) fn all<T>(
    db: &rusqlite::Connection,
    sql: &str,
    params: impl Params,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(params, row)?.collect()
}

/// The row of a query that has at most one.
pub(super) fn one<T>(
    db: &rusqlite::Connection,
    sql: &str,
    params: impl Params,
    row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    db.prepare_cached(sql)?.query_row(params, row).optional()
}
