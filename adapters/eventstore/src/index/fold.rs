//! Folding entries into the index, with the proof that they follow what is there.

use super::facts;
use super::folded::Folded;
use super::ledger::{self, Kept};
use super::values::{int, one};
use crate::changes::{self, Change};
use crate::entry::{Entry, What};
use rollcall_domain::claim::Claim;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::*;
use rusqlite::{Connection, params};

const OF_BEFORE: &str = "it has no leaf in the ledger: a version of before wrote it. Back the log up with that \
     version, and restore it with this one into another prefix or server";

/// Why entries were not folded: the index, or in words the first entry that cannot be.
pub(crate) type FoldResult = rusqlite::Result<Result<Folded, String>>;

/// Folds entries that follow, all of them or none.
pub(crate) fn fold(
    db: &mut Connection,
    organization: OrganizationId,
    from: Folded,
    entries: &[Entry],
) -> FoldResult {
    let transaction = db.transaction()?;
    if facts::folded(&transaction, organization)? != from {
        return Ok(Err("the index was folded by somebody else".into()));
    }
    let mut folded = from;
    let mut kept = ledger::kept(&transaction, organization)?;
    for entry in entries {
        match one_entry(&transaction, organization, (folded, &mut kept), entry)? {
            Ok(next) => folded = next,
            Err(why) => return Ok(Err(format!("revision {}: {why}", entry.revision))),
        }
    }
    if let Some((revision, id)) = folded.last {
        let sql = "INSERT INTO folded (organization, revision, last_id, position, exchange_number, tree, uncovered, last_exchange) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
                   ON CONFLICT (organization) DO UPDATE SET revision = excluded.revision, last_id = excluded.last_id, \
                   position = excluded.position, exchange_number = excluded.exchange_number, tree = excluded.tree, \
                   uncovered = excluded.uncovered, last_exchange = excluded.last_exchange";
        transaction.prepare_cached(sql)?.execute(params![
            organization.0.as_bytes(),
            int(revision),
            id.as_bytes(),
            int(folded.head.position),
            int(folded.head.exchange_number),
            kept.tree.kept().map(|tree| tree.to_bytes()),
            int(kept.uncovered),
            kept.last_exchange.as_ref().map(|id| id.0.as_bytes()),
        ])?;
    }
    transaction.commit()?;
    Ok(Ok(folded))
}

fn one_entry(
    db: &Connection,
    organization: OrganizationId,
    (at, kept): (Folded, &mut Kept),
    entry: &Entry,
) -> FoldResult {
    let batch = entry.meta.batch;
    if entry.revision != at.next() {
        return Ok(Err(format!("revision {} was expected", at.next())));
    }
    if entry.meta.organization != organization {
        return Ok(Err(format!("it is of organization {}", entry.meta.organization)));
    }
    if !(batch.first..batch.first + u64::from(batch.count)).contains(&entry.revision) {
        return Ok(Err(format!(
            "it came with revisions from {}, {} of them",
            batch.first, batch.count
        )));
    }
    let leaf = entry.meta.leaf.map(|leaf| LeafHash(leaf.0));
    let leaf = match (&entry.meta.what, leaf) {
        (What::Record { .. } | What::Exchange { .. }, None) => return Ok(Err(OF_BEFORE.into())),
        (_, leaf) => leaf.unwrap_or(LeafHash([0; 32])),
    };
    let mut head = at.head;
    let owner = organization.0.as_bytes();
    match &entry.meta.what {
        What::Record { position, aggregate, id, version, .. } => {
            let stream = StreamId { organization, kind: *aggregate, id: *id };
            let before = facts::version(db, &stream)?;
            if (*position, *version) != (head.position + 1, before + 1) {
                return Ok(Err(format!(
                    "position {position} of version {version} follows position {} and version {before}",
                    head.position
                )));
            }
            head.position += 1;
            kept.tree.record(leaf);
            let sql = "INSERT INTO record (organization, position, revision, kind, id, version, leaf) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let params = params![
                owner,
                int(*position),
                int(entry.revision),
                aggregate.as_str(),
                id.as_bytes(),
                int(*version),
                leaf.0,
            ];
            db.prepare_cached(sql)?.execute(params)?;
        }
        What::Exchange { exchange_number, id, positions, after, bodies } => {
            let known = facts::exchange_place(db, organization, *id)?.is_some();
            if *exchange_number != head.exchange_number + 1 || known || *after > head.position {
                return Ok(Err(format!(
                    "exchange {exchange_number} after position {after} follows exchange {} and position {}",
                    head.exchange_number, head.position
                )));
            }
            head.exchange_number += 1;
            kept.tree.exchange(leaf, *after, head.position);
            kept.last_exchange = Some(*id);
            let span =
                bodies.as_ref().and_then(|bodies| Some((bodies.month, bodies.parts.span()?)));
            let sql = "INSERT INTO exchange (organization, number, id, revision, first, last, month, first_body, last_body, after, leaf, dropped) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0)";
            db.prepare_cached(sql)?.execute(params![
                owner,
                int(*exchange_number),
                id.0.as_bytes(),
                int(entry.revision),
                positions.map(|p| int(p.0)),
                positions.map(|p| int(p.1)),
                span.map(|s| s.0),
                span.map(|s| int(s.1.0)),
                span.map(|s| int(s.1.1)),
                int(*after),
                leaf.0,
            ])?;
        }
        What::Claims => {
            let changed = match changes::read(&entry.data) {
                Ok(changed) => change(db, organization, &changed)?,
                Err(why) => Err(why),
            };
            if let Err(why) = changed {
                return Ok(Err(why));
            }
        }
        What::BodiesDropped { after, through } => {
            let sql = "UPDATE exchange SET dropped = 1 WHERE organization = ?1 AND number > ?2 AND number <= ?3 AND month IS NOT NULL";
            db.prepare_cached(sql)?.execute(params![owner, int(*after), int(*through)])?;
        }
        What::Pending { of, behind, token } => {
            let sql = "INSERT INTO pending (scope, revision, organization, behind, token, changes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let params = params![
                owner,
                int(entry.revision),
                of.0.as_bytes(),
                behind.map(int),
                token.as_bytes(),
                &entry.data[..]
            ];
            db.prepare_cached(sql)?.execute(params)?;
        }
        What::Settled { pending, confirmed } => {
            if let Err(why) = settle(db, organization, *pending, *confirmed)? {
                return Ok(Err(why));
            }
        }
        What::Fence => {}
    }
    if entry.meta.restored {
        kept.uncovered = head.position + head.exchange_number;
    }
    Ok(Ok(Folded { last: Some((entry.revision, entry.id)), head }))
}

/// The first to settle what is pending decides; those who say it once more are late.
fn settle(
    db: &Connection,
    scope: OrganizationId,
    pending: u64,
    confirmed: bool,
) -> rusqlite::Result<Result<(), String>> {
    let (owner, revision) = (scope.0.as_bytes(), int(pending));
    let sql = "SELECT changes FROM pending WHERE scope = ?1 AND revision = ?2";
    let Some(data) = one(db, sql, params![owner, revision], |row| row.get::<_, Vec<u8>>(0))? else {
        return Ok(Ok(()));
    };
    db.prepare_cached("DELETE FROM pending WHERE scope = ?1 AND revision = ?2")?
        .execute(params![owner, revision])?;
    match changes::read(&data) {
        Ok(changed) if confirmed => change(db, scope, &changed),
        Ok(_) => Ok(Ok(())),
        Err(why) => Ok(Err(why)),
    }
}

fn change(
    db: &Connection,
    scope: OrganizationId,
    changed: &[Change],
) -> rusqlite::Result<Result<(), String>> {
    for change in changed.iter().filter(|change| !change.kept) {
        match change.claim(scope) {
            Ok(claim) => set(db, &claim, change.holder.as_ref())?,
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(()))
}

fn set(db: &Connection, claim: &Claim, holder: Option<&StreamId>) -> rusqlite::Result<()> {
    let Some(holder) = holder else {
        let sql = "DELETE FROM claim WHERE scope = ?1 AND kind = ?2 AND key = ?3";
        db.prepare_cached(sql)?.execute(params![
            claim.scope.0.as_bytes(),
            claim.kind.as_str(),
            claim.key
        ])?;
        return Ok(());
    };
    let sql = "INSERT INTO claim (scope, kind, key, holder_organization, holder_kind, holder_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
               ON CONFLICT (scope, kind, key) DO UPDATE SET holder_organization = excluded.holder_organization, \
               holder_kind = excluded.holder_kind, holder_id = excluded.holder_id";
    db.prepare_cached(sql)?.execute(params![
        claim.scope.0.as_bytes(),
        claim.kind.as_str(),
        claim.key,
        holder.organization.0.as_bytes(),
        holder.kind.as_str(),
        holder.id.as_bytes(),
    ])?;
    Ok(())
}
