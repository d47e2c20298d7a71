//! What the index knows of the ledgers: the leaves that stand in the streams, and a tree over them.

use super::values::{Id, all, int, one};
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::{Frontier, LeafHash};
use rollcall_domain::log::*;
use rusqlite::types::Type;
use rusqlite::{Connection, params};

/// A ledger while entries are folded.
pub(super) struct Kept {
    pub tree: Regrowing,
    pub uncovered: u64,
    pub last_exchange: Option<ExchangeId>,
}

type Row = (Head, Option<Frontier>, u64, Option<ExchangeId>);

fn row(db: &Connection, organization: OrganizationId) -> rusqlite::Result<Option<Row>> {
    let sql = "SELECT position, exchange_number, tree, uncovered, last_exchange FROM folded WHERE organization = ?1";
    one(db, sql, params![organization.0.as_bytes()], |row| {
        let tree: Option<Vec<u8>> = row.get(2)?;
        let tree = tree.map(|bytes| Frontier::from_bytes(&bytes)).transpose();
        let odd = |e: rollcall_domain::ledger::FrontierError| {
            rusqlite::Error::FromSqlConversionFailure(2, Type::Blob, e.into())
        };
        Ok((
            Head { position: row.get(0)?, exchange_number: row.get(1)? },
            tree.map_err(odd)?,
            row.get(3)?,
            row.get::<_, Option<Id>>(4)?.map(|id| ExchangeId(id.0)),
        ))
    })
}

pub(super) fn kept(db: &Connection, organization: OrganizationId) -> rusqlite::Result<Kept> {
    let (_, tree, uncovered, last_exchange) =
        row(db, organization)?.unwrap_or((Head::default(), Some(Frontier::default()), 0, None));
    Ok(Kept { tree: Regrowing::from(tree), uncovered, last_exchange })
}

/// The head of an organization with its tree, which is grown anew where it has to be.
pub(crate) fn head(db: &Connection, organization: OrganizationId) -> rusqlite::Result<LedgerHead> {
    let Some((head, tree, uncovered, last_exchange)) = row(db, organization)? else {
        return Ok(LedgerHead::default());
    };
    let frontier = match tree {
        Some(tree) => tree,
        None => grow(db, organization)?,
    };
    Ok(LedgerHead { head, frontier, uncovered, last_exchange })
}

fn grow(db: &Connection, organization: OrganizationId) -> rusqlite::Result<Frontier> {
    // A record has number 0: at one position it comes before the exchanges after it. What was put
    // down later comes later, whatever it says of itself.
    let sql = "SELECT leaf FROM ( \
                   SELECT position AS place, 0 AS number, leaf FROM record WHERE organization = ?1 \
                   UNION ALL \
                   SELECT max(after) OVER (ORDER BY number), number, leaf FROM exchange WHERE organization = ?1 \
               ) ORDER BY place, number";
    let mut statement = db.prepare_cached(sql)?;
    let leaves =
        statement.query_map([organization.0.as_bytes()], |row| row.get(0).map(LeafHash))?;
    leaves.collect()
}

pub(crate) fn record_leaves(
    db: &Connection,
    organization: OrganizationId,
    after: Position,
    limit: usize,
) -> rusqlite::Result<Vec<(Position, Option<LeafHash>)>> {
    let sql = "SELECT position, leaf FROM record WHERE organization = ?1 AND position > ?2 ORDER BY position LIMIT ?3";
    all(db, sql, params![organization.0.as_bytes(), int(after), int(limit as u64)], |row| {
        Ok((row.get(0)?, Some(LeafHash(row.get(1)?))))
    })
}

pub(crate) fn exchange_leaves(
    db: &Connection,
    organization: OrganizationId,
    after: ExchangeNumber,
    limit: usize,
) -> rusqlite::Result<Vec<ExchangeLeaf>> {
    let sql = "SELECT number, after, leaf FROM exchange WHERE organization = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
    all(db, sql, params![organization.0.as_bytes(), int(after), int(limit as u64)], |row| {
        Ok(ExchangeLeaf {
            number: row.get(0)?,
            after: row.get(1)?,
            leaf: Some(LeafHash(row.get(2)?)),
        })
    })
}
