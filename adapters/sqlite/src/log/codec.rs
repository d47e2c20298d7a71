//! Between the domain's values and columns.

use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::{Claim, ClaimKind};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::*;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, Type, ValueRef};
use rusqlite::{ErrorCode, Row};
use std::error::Error;
use uuid::Uuid;

/// An id in a column.
pub(super) struct Id(pub Uuid);

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Uuid::from_slice(value.as_blob()?).map(Id).map_err(|e| FromSqlError::Other(Box::new(e)))
    }
}

/// The integer for a position, number, version or limit. What is beyond is past every row.
pub(super) fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A read that failed, in the port's words.
pub(super) fn log_error(e: rusqlite::Error) -> LogError {
    match e.sqlite_error_code() {
        None | Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            LogError::Damaged(e.to_string())
        }
        Some(_) => LogError::Unavailable(e.to_string()),
    }
}

/// What a write that failed says of the store.
pub(super) fn trouble(e: &rusqlite::Error) -> Trouble {
    match e.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Trouble::DiskFull,
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => Trouble::DiskFailing,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Trouble::ReadOnly,
        None | Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Trouble::Damaged,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Trouble::Locked,
        Some(_) => Trouble::Refused,
    }
}

/// A column that holds what it cannot.
fn odd(column: usize, e: impl Into<Box<dyn Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, e.into())
}

fn organization(row: &Row<'_>, column: usize) -> rusqlite::Result<OrganizationId> {
    Ok(OrganizationId(row.get::<_, Id>(column)?.0))
}

/// A stream from three columns: organization, kind, id.
pub(super) fn stream(row: &Row<'_>, column: usize) -> rusqlite::Result<StreamId> {
    let kind = row.get_ref(column + 1)?.as_str()?;
    Ok(StreamId {
        organization: organization(row, column)?,
        kind: AggregateKind::parse(kind)
            .ok_or_else(|| odd(column + 1, "unknown kind of aggregate"))?,
        id: row.get::<_, Id>(column + 2)?.0,
    })
}

/// The columns [`record`] reads.
pub(super) const RECORD: &str = "organization, kind, id, position, version, event_type, event_version, payload, recorded_at, exchange, actor";

/// A record from [`RECORD`].
pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        stream: stream(row, 0)?,
        position: row.get(3)?,
        version: row.get(4)?,
        event_type: row.get(5)?,
        event_version: row.get(6)?,
        payload: row.get(7)?,
        recorded_at: time(row, 8)?,
        exchange: row.get::<_, Option<Id>>(9)?.map(|id| ExchangeId(id.0)),
        actor: serde_json::from_str::<Actor>(row.get_ref(10)?.as_str()?).map_err(|e| odd(10, e))?,
    })
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(row.get(column)?).ok_or_else(|| odd(column, "no such time"))
}

/// The columns [`exchange`] reads without bodies, and with them.
pub(super) const EXCHANGE: &str = "number, first, last, after, document";
pub(super) const EXCHANGE_BODIES: &str =
    "number, first, last, after, document, request_body, answer_body";

/// An exchange from [`EXCHANGE`] or [`EXCHANGE_BODIES`].
pub(super) fn exchange(row: &Row<'_>, bodies: Bodies) -> rusqlite::Result<RecordedExchange> {
    let mut exchange: Exchange =
        serde_json::from_str(row.get_ref(4)?.as_str()?).map_err(|e| odd(4, e))?;
    if bodies == Bodies::Read {
        exchange.request_body = row.get(5)?;
        exchange.answer_body = row.get(6)?;
    }
    Ok(RecordedExchange {
        number: row.get(0)?,
        positions: positions(row, 1)?,
        after: row.get(3)?,
        exchange,
    })
}

/// First and last position from two columns.
pub(super) fn positions(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<(Position, Position)>> {
    let first: Option<u64> = row.get(column)?;
    let last: Option<u64> = row.get(column + 1)?;
    Ok(first.zip(last))
}

/// A head from two columns.
pub(super) fn head(row: &Row<'_>, column: usize) -> rusqlite::Result<Head> {
    Ok(Head { position: row.get(column)?, exchange_number: row.get(column + 1)? })
}

/// A scope and its key.
pub(super) fn claim_key(row: &Row<'_>) -> rusqlite::Result<(OrganizationId, [u8; 32])> {
    Ok((organization(row, 0)?, row.get(1)?))
}

/// A head with its organization.
pub(super) fn named_head(row: &Row<'_>) -> rusqlite::Result<(OrganizationId, Head)> {
    Ok((organization(row, 0)?, head(row, 1)?))
}

/// A claim's key and its holder.
pub(super) fn claim(
    row: &Row<'_>,
    scope: OrganizationId,
    kind: ClaimKind,
) -> rusqlite::Result<(Claim, StreamId)> {
    Ok((Claim { scope, kind, key: row.get(0)? }, stream(row, 1)?))
}
