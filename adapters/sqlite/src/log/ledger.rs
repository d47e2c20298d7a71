//! What the log keeps of its ledgers: a leaf beside each record and exchange, a tree in each head.

use super::codec::{self, Id, int};
use super::read::{all, one};
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::{Frontier, LeafHash};
use rollcall_domain::log::*;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

/// Which log this is.
pub(super) fn epoch(db: &Connection) -> rusqlite::Result<Uuid> {
    db.query_row("SELECT epoch FROM identity", [], |row| Ok(row.get::<_, Id>(0)?.0))
}

/// The row of a head.
#[derive(Default)]
pub(super) struct Kept {
    pub head: Head,
    /// None if it has to be grown anew.
    pub tree: Option<Frontier>,
    uncovered: u64,
    last_exchange: Option<ExchangeId>,
}

pub(super) fn kept(db: &Connection, organization: OrganizationId) -> rusqlite::Result<Kept> {
    let sql = "SELECT position, exchange_number, tree, uncovered, last_exchange FROM head WHERE organization = ?1";
    let found = one(db, sql, params![organization.0.as_bytes()], |row| {
        let tree: Option<Vec<u8>> = row.get(2)?;
        let tree = tree.map(|bytes| Frontier::from_bytes(&bytes)).transpose();
        Ok(Kept {
            head: codec::head(row, 0)?,
            tree: tree
                .map_err(|e| rusqlite::Error::FromSqlConversionFailure(2, Type::Blob, e.into()))?,
            uncovered: row.get(3)?,
            last_exchange: row.get::<_, Option<Id>>(4)?.map(|id| ExchangeId(id.0)),
        })
    })?;
    Ok(found.unwrap_or_else(|| Kept { tree: Some(Frontier::default()), ..Kept::default() }))
}

/// The head of an organization with its tree, which is grown anew where it has to be.
pub(super) fn head(db: &Connection, organization: OrganizationId) -> rusqlite::Result<LedgerHead> {
    let Kept { head, tree, uncovered, last_exchange } = kept(db, organization)?;
    let frontier = tree.map_or_else(|| grow(db, organization), Ok)?;
    Ok(LedgerHead { head, frontier, uncovered, last_exchange })
}

/// Grows a tree from the leaves that are stored, in the order of commit.
pub(super) fn grow(db: &Connection, organization: OrganizationId) -> rusqlite::Result<Frontier> {
    // A record has number 0: at one position it comes before the exchanges after it. What was put
    // down later comes later, whatever it says of itself.
    let sql = "SELECT leaf FROM ( \
                   SELECT position AS place, 0 AS number, leaf FROM event WHERE organization = ?1 \
                   UNION ALL \
                   SELECT max(after) OVER (ORDER BY number), number, leaf FROM exchange WHERE organization = ?1 \
               ) ORDER BY place, number";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([organization.0.as_bytes()])?;
    let mut tree = Frontier::default();
    while let Some(row) = rows.next()? {
        tree.append(LeafHash(row.get(0)?));
    }
    Ok(tree)
}

pub(super) fn counted(db: &Connection, organization: OrganizationId) -> rusqlite::Result<Head> {
    let sql = "SELECT (SELECT count(*) FROM event WHERE organization = ?1), (SELECT count(*) FROM exchange WHERE organization = ?1)";
    db.prepare_cached(sql)?.query_row([organization.0.as_bytes()], |row| codec::head(row, 0))
}

pub(super) fn record_leaves(
    db: &Connection,
    organization: OrganizationId,
    after: Position,
    limit: usize,
) -> rusqlite::Result<Vec<(Position, Option<LeafHash>)>> {
    let sql = "SELECT position, leaf FROM event WHERE organization = ?1 AND position > ?2 ORDER BY position LIMIT ?3";
    all(db, sql, params![organization.0.as_bytes(), int(after), int(limit as u64)], |row| {
        Ok((row.get(0)?, leaf(row, 1)?))
    })
}

pub(super) fn exchange_leaves(
    db: &Connection,
    organization: OrganizationId,
    after: ExchangeNumber,
    limit: usize,
) -> rusqlite::Result<Vec<ExchangeLeaf>> {
    let sql = "SELECT number, after, leaf FROM exchange WHERE organization = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
    all(db, sql, params![organization.0.as_bytes(), int(after), int(limit as u64)], |row| {
        Ok(ExchangeLeaf { number: row.get(0)?, after: row.get(1)?, leaf: leaf(row, 2)? })
    })
}

/// What somebody else wrote there is no damage that stops a reader: it is what an audit looks for.
fn leaf(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<LeafHash>> {
    Ok(row.get_ref(column)?.as_bytes().ok().and_then(|bytes| bytes.try_into().ok()).map(LeafHash))
}

/// What becomes of a head.
pub(super) struct Moved<'a> {
    pub head: Head,
    pub tree: Option<&'a Frontier>,
    /// The last exchange that was put down; none if none was.
    pub last_exchange: Option<ExchangeId>,
}

/// Moves a head behind what was appended.
pub(super) fn move_head(
    db: &Connection,
    organization: OrganizationId,
    moved: Moved<'_>,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO head (organization, position, exchange_number, tree, last_exchange) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (organization) DO UPDATE SET position = excluded.position, exchange_number = excluded.exchange_number, \
               tree = excluded.tree, last_exchange = coalesce(excluded.last_exchange, head.last_exchange)";
    db.prepare_cached(sql)?.execute(params![
        organization.0.as_bytes(),
        int(moved.head.position),
        int(moved.head.exchange_number),
        moved.tree.map(Frontier::to_bytes),
        moved.last_exchange.as_ref().map(|id| id.0.as_bytes()),
    ])?;
    Ok(())
}

/// Says that all that is there was there before its leaves.
pub(super) fn uncover(db: &Connection, organization: OrganizationId) -> rusqlite::Result<()> {
    let sql = "UPDATE head SET uncovered = position + exchange_number WHERE organization = ?1";
    db.prepare_cached(sql)?.execute([organization.0.as_bytes()])?;
    Ok(())
}
