//! Between the domain's values and columns.

use crate::fault::{Fault, fault, trouble};
use chrono::{DateTime, Utc};
use rollcall_domain::claim::{Claim, ClaimKind};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::*;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// The integer for a position, number, version or limit. What is beyond is past every row.
pub(super) fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A read that failed, in the port's words.
pub(super) fn log_error(e: sqlx::Error) -> LogError {
    if trouble(&e) == Trouble::Forbidden {
        return LogError::Unavailable(format!(
            "{e}: this is for the owner of the log, start a server with the owner's --database-url"
        ));
    }
    match fault(&e) {
        Fault::Lost | Fault::Away | Fault::Conflict => LogError::Unavailable(e.to_string()),
        Fault::Refused if !says_damaged(&e) => LogError::Unavailable(e.to_string()),
        Fault::Refused | Fault::Unreadable => LogError::Damaged(e.to_string()),
    }
}

/// Whether the server says that what it stores is not what it should be: data exceptions and
/// internal errors, among them those of checksums. A right that is missing is none.
fn says_damaged(e: &sqlx::Error) -> bool {
    let code = e.as_database_error().and_then(|e| e.code());
    code.is_some_and(|code| code.starts_with("22") || code.starts_with("XX"))
}

pub(super) fn odd(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}

/// A position, number or version: never negative.
pub(super) fn count(row: &PgRow, column: usize) -> sqlx::Result<u64> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(odd)
}

pub(super) fn organization(row: &PgRow, column: usize) -> sqlx::Result<OrganizationId> {
    row.try_get(column).map(OrganizationId)
}

/// A stream from three columns: organization, kind, id.
pub(super) fn stream(row: &PgRow, column: usize) -> sqlx::Result<StreamId> {
    let kind: &str = row.try_get(column + 1)?;
    Ok(StreamId {
        organization: organization(row, column)?,
        kind: AggregateKind::parse(kind).ok_or_else(|| odd("unknown kind of aggregate"))?,
        id: row.try_get(column + 2)?,
    })
}

/// An instant from microseconds since 1970.
pub(super) fn instant(micros: i64) -> sqlx::Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| odd("no such time"))
}

/// The columns that [`record`] reads.
pub(super) const RECORD: &str = "aggregate_type, aggregate_id, position, sequence, event_type, event_version, payload::text, recorded_at, exchange, actor";

/// The columns that [`exchange`] reads without bodies, and with them.
pub(super) const EXCHANGE: &str = "number, first, last, after, document::text";
pub(super) const EXCHANGE_BODIES: &str =
    "number, first, last, after, document::text, request_body, answer_body";

/// A record from the columns of `read::RECORD`.
pub(super) fn record(row: &PgRow) -> sqlx::Result<Record> {
    let kind =
        AggregateKind::parse(row.try_get(0)?).ok_or_else(|| odd("unknown kind of aggregate"))?;
    Ok(Record {
        position: count(row, 2)?,
        stream: StreamId::from_aggregate_id(kind, row.try_get(1)?)
            .ok_or_else(|| odd("unknown shape of aggregate_id"))?,
        version: count(row, 3)?,
        event_type: row.try_get(4)?,
        event_version: row.try_get(5)?,
        payload: row.try_get(6)?,
        recorded_at: instant(row.try_get(7)?)?,
        exchange: row.try_get::<Option<Uuid>, _>(8)?.map(ExchangeId),
        actor: serde_json::from_str(row.try_get(9)?).map_err(odd)?,
    })
}

/// An exchange from number, first, last, after, document, and both bodies if they were read.
pub(super) fn exchange(row: &PgRow, bodies: Bodies) -> sqlx::Result<RecordedExchange> {
    let mut exchange: Exchange = serde_json::from_str(row.try_get(4)?).map_err(odd)?;
    if bodies == Bodies::Read {
        exchange.request_body = row.try_get(5)?;
        exchange.answer_body = row.try_get(6)?;
    }
    Ok(RecordedExchange {
        number: count(row, 0)?,
        positions: positions(row, 1)?,
        after: count(row, 3)?,
        exchange,
    })
}

/// First and last position from two columns.
pub(super) fn positions(row: &PgRow, column: usize) -> sqlx::Result<Option<(Position, Position)>> {
    match row.try_get::<Option<i64>, _>(column)? {
        Some(_) => Ok(Some((count(row, column)?, count(row, column + 1)?))),
        None => Ok(None),
    }
}

/// A head with its organization.
pub(super) fn head(row: &PgRow) -> sqlx::Result<(OrganizationId, Head)> {
    Ok((organization(row, 0)?, Head { position: count(row, 1)?, exchange_number: count(row, 2)? }))
}

/// A key of 32 bytes.
pub(super) fn key(row: &PgRow, column: usize) -> sqlx::Result<[u8; 32]> {
    row.try_get::<&[u8], _>(column)?.try_into().map_err(odd)
}

/// A claim's key and its holder.
pub(super) fn claim(
    row: &PgRow,
    scope: OrganizationId,
    kind: ClaimKind,
) -> sqlx::Result<(Claim, StreamId)> {
    Ok((Claim { scope, kind, key: key(row, 0)? }, stream(row, 1)?))
}
