//! What is read from the log.

use super::codec::{self, int};
use rollcall_domain::claim::{Claim, ClaimKind};
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::*;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

pub(super) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(params, row)?.collect()
}

pub(super) fn one<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    db.prepare_cached(sql)?.query_row(params, row).optional()
}

pub(super) fn load(
    db: &Connection,
    stream: &StreamId,
    after: Version,
) -> rusqlite::Result<Vec<Record>> {
    let sql = format!(
        "SELECT {} FROM event WHERE id = ?1 AND kind = ?2 AND organization = ?3 AND version > ?4 ORDER BY version",
        codec::RECORD
    );
    all(
        db,
        &sql,
        params![
            stream.id.as_bytes(),
            stream.kind.as_str(),
            stream.organization.0.as_bytes(),
            int(after)
        ],
        codec::record,
    )
}

pub(super) fn records(
    db: &Connection,
    organization: OrganizationId,
    after: Position,
    limit: usize,
) -> rusqlite::Result<Vec<Record>> {
    let sql = format!(
        "SELECT {} FROM event WHERE organization = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
        codec::RECORD
    );
    all(db, &sql, params![organization.0.as_bytes(), int(after), int(limit as u64)], codec::record)
}

pub(super) fn exchanges(
    db: &Connection,
    organization: OrganizationId,
    after: ExchangeNumber,
    limit: usize,
    bodies: Bodies,
) -> rusqlite::Result<Vec<RecordedExchange>> {
    let columns = match bodies {
        Bodies::Read => codec::EXCHANGE_BODIES,
        Bodies::Skip => codec::EXCHANGE,
    };
    let sql = format!(
        "SELECT {columns} FROM exchange WHERE organization = ?1 AND number > ?2 ORDER BY number LIMIT ?3"
    );
    all(db, &sql, params![organization.0.as_bytes(), int(after), int(limit as u64)], |row| {
        codec::exchange(row, bodies)
    })
}

pub(super) fn exchange(
    db: &Connection,
    organization: OrganizationId,
    id: ExchangeId,
) -> rusqlite::Result<Option<RecordedExchange>> {
    let sql = format!(
        "SELECT {} FROM exchange WHERE id = ?1 AND organization = ?2",
        codec::EXCHANGE_BODIES
    );
    one(db, &sql, params![id.0.as_bytes(), organization.0.as_bytes()], |row| {
        codec::exchange(row, Bodies::Read)
    })
}

/// An exchange's number, and the first and last position it caused.
type Place = (ExchangeNumber, Option<(Position, Position)>);

/// What an exchange was given when it was appended.
pub(super) fn exchange_place(
    db: &Connection,
    organization: OrganizationId,
    id: ExchangeId,
) -> rusqlite::Result<Option<Place>> {
    let sql = "SELECT number, first, last FROM exchange WHERE id = ?1 AND organization = ?2";
    one(db, sql, params![id.0.as_bytes(), organization.0.as_bytes()], |row| {
        Ok((row.get(0)?, codec::positions(row, 1)?))
    })
}

/// How many events a stream has.
pub(super) fn version(db: &Connection, stream: &StreamId) -> rusqlite::Result<Version> {
    let sql = "SELECT version FROM event WHERE id = ?1 AND kind = ?2 AND organization = ?3 ORDER BY version DESC LIMIT 1";
    let params =
        params![stream.id.as_bytes(), stream.kind.as_str(), stream.organization.0.as_bytes()];
    Ok(one(db, sql, params, |row| row.get(0))?.unwrap_or(0))
}

pub(super) fn head(db: &Connection, organization: OrganizationId) -> rusqlite::Result<Head> {
    let sql = "SELECT position, exchange_number FROM head WHERE organization = ?1";
    Ok(one(db, sql, params![organization.0.as_bytes()], |row| codec::head(row, 0))?
        .unwrap_or_default())
}

pub(super) fn heads(db: &Connection) -> rusqlite::Result<Vec<(OrganizationId, Head)>> {
    all(
        db,
        "SELECT organization, position, exchange_number FROM head ORDER BY organization",
        [],
        codec::named_head,
    )
}

pub(super) fn snapshot(
    db: &Connection,
    stream: StreamId,
) -> rusqlite::Result<Option<AggregateSnapshot>> {
    let sql = "SELECT version, schema, state FROM snapshot WHERE organization = ?1 AND kind = ?2 AND id = ?3";
    one(
        db,
        sql,
        params![stream.organization.0.as_bytes(), stream.kind.as_str(), stream.id.as_bytes()],
        |row| {
            Ok(AggregateSnapshot {
                stream,
                version: row.get(0)?,
                schema: row.get(1)?,
                state: row.get(2)?,
            })
        },
    )
}

pub(super) fn holder(db: &Connection, claim: &Claim) -> rusqlite::Result<Option<StreamId>> {
    let sql = "SELECT holder_organization, holder_kind, holder_id FROM claim WHERE scope = ?1 AND kind = ?2 AND key = ?3";
    one(db, sql, params![claim.scope.0.as_bytes(), claim.kind.as_str(), claim.key], |row| {
        codec::stream(row, 0)
    })
}

/// Claims in the domain's order, which knows kinds by rank where the table knows them by name:
/// so one kind after another.
pub(super) fn claims(
    db: &Connection,
    scope: OrganizationId,
    after: Option<Claim>,
    limit: usize,
) -> rusqlite::Result<Vec<(Claim, StreamId)>> {
    let mut found = Vec::new();
    for kind in ClaimKind::ALL {
        let after: &[u8] = match &after {
            Some(claim) if claim.kind > kind => continue,
            Some(claim) if claim.kind == kind => &claim.key,
            // Shorter than every key, so before the first.
            _ => &[],
        };
        let sql = "SELECT key, holder_organization, holder_kind, holder_id FROM claim \
                   WHERE scope = ?1 AND kind = ?2 AND key > ?3 ORDER BY key LIMIT ?4";
        let left = int((limit - found.len()) as u64);
        found.extend(all(
            db,
            sql,
            params![scope.0.as_bytes(), kind.as_str(), after, left],
            |row| codec::claim(row, scope, kind),
        )?);
    }
    Ok(found)
}

pub(super) fn claim_keys(db: &Connection) -> rusqlite::Result<Vec<(OrganizationId, [u8; 32])>> {
    all(db, "SELECT scope, key FROM claim_key ORDER BY scope", [], codec::claim_key)
}
