//! What the port asks of the index.

use super::values::{Id, all, int, one, stream};
use rollcall_domain::claim::{Claim, ClaimKind};
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::*;
use rusqlite::{Connection, params};
use uuid::Uuid;

/// Revisions of at most `limit` records after a position.
pub(crate) fn records(
    db: &Connection,
    organization: OrganizationId,
    after: Position,
    limit: usize,
) -> rusqlite::Result<Vec<u64>> {
    let sql = "SELECT revision FROM record WHERE organization = ?1 AND position > ?2 ORDER BY position LIMIT ?3";
    all(db, sql, params![organization.0.as_bytes(), int(after), int(limit as u64)], |row| {
        row.get(0)
    })
}

/// Revisions of at most `limit` exchanges after a number, and whether their bodies are dropped.
pub(crate) fn exchanges(
    db: &Connection,
    organization: OrganizationId,
    after: ExchangeNumber,
    limit: usize,
) -> rusqlite::Result<Vec<(u64, bool)>> {
    let sql = "SELECT revision, dropped FROM exchange WHERE organization = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
    all(db, sql, params![organization.0.as_bytes(), int(after), int(limit as u64)], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// The number of an exchange.
pub(crate) fn exchange(
    db: &Connection,
    organization: OrganizationId,
    id: ExchangeId,
) -> rusqlite::Result<Option<ExchangeNumber>> {
    let sql = "SELECT number FROM exchange WHERE id = ?1 AND organization = ?2";
    one(db, sql, params![id.0.as_bytes(), organization.0.as_bytes()], |row| row.get(0))
}

/// How many exchanges after one number up to another have bodies.
pub(crate) fn bodies(
    db: &Connection,
    organization: OrganizationId,
    after: u64,
    through: u64,
) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM exchange WHERE organization = ?1 AND number > ?2 AND number <= ?3 AND month IS NOT NULL AND dropped = 0";
    Ok(one(db, sql, params![organization.0.as_bytes(), int(after), int(through)], |row| {
        row.get(0)
    })?
    .unwrap_or(0))
}

/// For each month of which bodies after one number up to another are dropped: the revision before
/// which its stream holds no body that is still wanted.
pub(crate) fn truncations(
    db: &Connection,
    organization: OrganizationId,
    after: u64,
    through: u64,
) -> rusqlite::Result<Vec<(u32, u64)>> {
    let sql = "SELECT DISTINCT month FROM exchange WHERE organization = ?1 AND number > ?2 AND number <= ?3 AND month IS NOT NULL AND dropped = 1";
    let owner = organization.0.as_bytes();
    let months: Vec<u32> =
        all(db, sql, params![owner, int(after), int(through)], |row| row.get(0))?;
    let sql = "SELECT coalesce((SELECT min(first_body) FROM exchange WHERE organization = ?1 AND month = ?2 AND dropped = 0), \
               (SELECT max(last_body) + 1 FROM exchange WHERE organization = ?1 AND month = ?2 AND dropped = 1), 0)";
    let before =
        |month| Ok((month, one(db, sql, params![owner, month], |row| row.get(0))?.unwrap_or(0)));
    months.into_iter().map(before).collect()
}

/// Claims of a scope that wait for an append.
pub(crate) struct Pending {
    /// Whose claims.
    pub scope: OrganizationId,
    /// Revision in the scope's stream.
    pub revision: u64,
    /// Whose stream it waits for.
    pub of: OrganizationId,
    /// Behind which revision the append would stand.
    pub behind: Option<u64>,
    /// Id of its first event.
    pub token: Uuid,
    /// The list of changes.
    pub changes: Vec<u8>,
}

/// What is pending in a scope, oldest first.
pub(crate) fn pending(db: &Connection, scope: OrganizationId) -> rusqlite::Result<Vec<Pending>> {
    let sql = "SELECT revision, organization, behind, token, changes FROM pending WHERE scope = ?1 ORDER BY revision";
    all(db, sql, params![scope.0.as_bytes()], |row| {
        Ok(Pending {
            scope,
            revision: row.get(0)?,
            of: OrganizationId(row.get::<_, Id>(1)?.0),
            behind: row.get(2)?,
            token: row.get::<_, Id>(3)?.0,
            changes: row.get(4)?,
        })
    })
}

/// Claims in the domain's order, which knows kinds by rank where the table knows them by name:
/// so one kind after another.
pub(crate) fn claims(
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
            |row| Ok((Claim { scope, kind, key: row.get(0)? }, stream(row, 1)?)),
        )?);
    }
    Ok(found)
}

/// The snapshot of a stream that this process kept.
pub(crate) fn snapshot(
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

/// Keeps a snapshot, unless a later one is there.
pub(crate) fn save_snapshot(db: &Connection, snapshot: &AggregateSnapshot) -> rusqlite::Result<()> {
    let sql = "INSERT INTO snapshot (organization, kind, id, version, schema, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
               ON CONFLICT (organization, kind, id) DO UPDATE SET version = excluded.version, schema = excluded.schema, \
               state = excluded.state WHERE excluded.version >= snapshot.version";
    let s = &snapshot.stream;
    db.prepare_cached(sql)?.execute(params![
        s.organization.0.as_bytes(),
        s.kind.as_str(),
        s.id.as_bytes(),
        int(snapshot.version),
        snapshot.schema,
        snapshot.state,
    ])?;
    Ok(())
}
