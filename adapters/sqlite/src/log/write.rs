//! What is written to the log.

use super::codec::{int, log_error};
use super::facets;
use super::identity::Identity;
use super::inline::InlineViews;
use super::ledger::{self, Moved};
use super::read;
use rollcall_domain::body_hashes::BodyHashes;
use rollcall_domain::claim::Claim;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::ledger::entry::erase_exchange;
use rollcall_domain::log::*;
use rusqlite::{Connection, TransactionBehavior, params};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Decides and writes a batch in one transaction, and flushes it.
pub(super) fn append(
    db: &mut Connection,
    identity: &Identity,
    appends: Vec<Append>,
    inline: Option<&InlineViews>,
) -> rusqlite::Result<Vec<Result<Appended, AppendError>>> {
    // Immediate: nobody may write between the reading of the facts and the writing of the plan.
    // Dropped without commit, also by a commit that failed, it rolls back.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    metrics::histogram!("rollcall_append_batch_size").record(appends.len() as f64);
    let facts = match identity.check() {
        Ok(()) => facts(&transaction, identity, &wanted(&appends))?,
        Err(why) => Err(why),
    };
    let facts = match facts {
        Ok(facts) => facts,
        Err(why) => return Ok(vec![Err(AppendError::Closed(why)); appends.len()]),
    };
    let organizations: Vec<OrganizationId> = appends.iter().map(|a| a.organization).collect();
    let mut plan = plan(facts, appends);
    write(&transaction, &plan)?;
    match inline {
        None => transaction.commit()?,
        Some(inline) => {
            let folded = inline.commit(transaction, &mut plan)?;
            plan.shown(&organizations, &folded);
        }
    }
    for (organization, end) in plan.ends() {
        identity.watch.learn(organization, end);
    }
    Ok(plan.outcomes)
}

fn facts(
    db: &Connection,
    identity: &Identity,
    wanted: &Wanted,
) -> rusqlite::Result<Result<Facts, Closed>> {
    let mut facts = Facts::default();
    for organization in &wanted.organizations {
        let ledger = ledger::head(db, *organization)?;
        if let Err(why) = identity.appending(db, *organization, ledger.mark())? {
            return Ok(Err(why));
        }
        facts.heads.insert(*organization, ledger.head);
        facts.trees.insert(*organization, ledger.frontier);
    }
    for stream in &wanted.streams {
        facts.versions.insert(*stream, read::version(db, stream)?);
    }
    for claim in &wanted.claims {
        if let Some(holder) = read::holder(db, claim)? {
            facts.claims.insert(*claim, holder);
        }
    }
    for (organization, id) in &wanted.exchanges {
        if let Some(place) = read::exchange_place(db, *organization, *id)? {
            facts.exchanges.insert((*organization, *id), place);
        }
    }
    Ok(Ok(facts))
}

fn write(db: &Connection, plan: &Plan) -> rusqlite::Result<()> {
    for (record, leaf) in plan.records.iter().zip(&plan.record_leaves) {
        insert_record(db, record, *leaf)?;
    }
    for (exchange, leaf) in plan.exchanges.iter().zip(&plan.exchange_leaves) {
        insert_exchange(db, exchange, *leaf)?;
        facets::insert(db, &exchange.exchange, exchange.number)?;
    }
    for (claim, outcome) in &plan.claims {
        match outcome {
            ClaimOutcome::Held(holder) => hold(db, claim, holder)?,
            ClaimOutcome::Free => free(db, claim)?,
        }
    }
    for (organization, head) in &plan.heads {
        let moved = Moved {
            head: *head,
            tree: plan.trees.get(organization),
            last_exchange: plan.last_exchanges.get(organization).copied(),
        };
        ledger::move_head(db, *organization, moved)?;
    }
    Ok(())
}

pub(super) fn insert_record(db: &Connection, r: &Record, leaf: LeafHash) -> rusqlite::Result<()> {
    let sql = "INSERT INTO event (organization, position, kind, id, version, event_type, event_version, recorded_at, exchange, actor, leaf, payload) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    db.prepare_cached(sql)?.execute(params![
        r.stream.organization.0.as_bytes(),
        int(r.position),
        r.stream.kind.as_str(),
        r.stream.id.as_bytes(),
        int(r.version),
        r.event_type,
        r.event_version,
        r.recorded_at.timestamp_micros(),
        r.exchange.as_ref().map(|x| x.0.as_bytes()),
        json(serde_json::to_string(&r.actor))?,
        leaf.0,
        r.payload,
    ])?;
    Ok(())
}

pub(super) fn insert_exchange(
    db: &Connection,
    r: &RecordedExchange,
    leaf: LeafHash,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO exchange (organization, number, id, first, last, after, leaf, document, request_body, answer_body) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let x = &r.exchange;
    db.prepare_cached(sql)?.execute(params![
        x.organization.0.as_bytes(),
        int(r.number),
        x.id.0.as_bytes(),
        r.positions.map(|p| int(p.0)),
        r.positions.map(|p| int(p.1)),
        int(r.after),
        leaf.0,
        json(serde_json::to_string(x))?,
        x.request_body,
        x.answer_body,
    ])?;
    Ok(())
}

fn json(text: serde_json::Result<String>) -> rusqlite::Result<String> {
    text.map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

fn hold(db: &Connection, claim: &Claim, holder: &StreamId) -> rusqlite::Result<()> {
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

fn free(db: &Connection, claim: &Claim) -> rusqlite::Result<()> {
    let sql = "DELETE FROM claim WHERE scope = ?1 AND kind = ?2 AND key = ?3";
    db.prepare_cached(sql)?.execute(params![
        claim.scope.0.as_bytes(),
        claim.kind.as_str(),
        claim.key
    ])?;
    Ok(())
}

pub(super) fn save_snapshot(db: &Connection, snapshot: &AggregateSnapshot) -> rusqlite::Result<()> {
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

/// Keeps `fresh` unless there is a key; gives the one that is kept.
pub(super) fn claim_key(
    db: &Connection,
    scope: OrganizationId,
    fresh: [u8; 32],
) -> rusqlite::Result<[u8; 32]> {
    db.prepare_cached(
        "INSERT INTO claim_key (scope, key) VALUES (?1, ?2) ON CONFLICT (scope) DO NOTHING",
    )?
    .execute(params![scope.0.as_bytes(), fresh])?;
    db.prepare_cached("SELECT key FROM claim_key WHERE scope = ?1")?
        .query_row([scope.0.as_bytes()], |row| row.get(0))
}

/// Drops the bodies of exchanges, and says so in each; their hashes stay.
pub(super) fn drop_bodies(
    connection: &mut Connection,
    organization: OrganizationId,
    after: ExchangeNumber,
    through: ExchangeNumber,
) -> rusqlite::Result<u64> {
    let owner = organization.0.as_bytes();
    let db = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let next = "SELECT number, request_body, answer_body FROM exchange WHERE organization = ?1 AND number > ?2 AND number <= ?3 \
                AND (length(request_body) > 0 OR length(answer_body) > 0) ORDER BY number LIMIT 1";
    let forget = "UPDATE exchange SET request_body = x'', answer_body = x'', document = json_set(document, \
                '$.bodies_dropped', json('true'), '$.body_hashes', json(?3)) WHERE organization = ?1 AND number = ?2";
    let mut at = int(after);
    let mut dropped = 0;
    while let Some((number, hashes)) =
        read::one(&db, next, params![owner, at, int(through)], |row| {
            let hashes = BodyHashes::of(row.get_ref(1)?.as_blob()?, row.get_ref(2)?.as_blob()?);
            Ok((row.get::<_, i64>(0)?, hashes))
        })?
    {
        let hashes = json(serde_json::to_string(&hashes))?;
        db.prepare_cached(forget)?.execute(params![owner, number, hashes])?;
        (at, dropped) = (number, dropped + 1);
    }
    db.commit()?;
    if dropped > 0 {
        empty_the_log_ahead(connection);
    }
    Ok(dropped)
}

/// Erases exchanges, and what they are found by.
pub(super) fn erase_exchanges(
    connection: &mut Connection,
    organization: OrganizationId,
    numbers: &[ExchangeNumber],
) -> rusqlite::Result<u64> {
    let owner = organization.0.as_bytes();
    let db = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut erased = 0;
    for number in numbers {
        let found = read::exchanges(&db, organization, number - 1, 1, Bodies::Read)?.pop();
        let Some(mut found) = found.filter(|x| x.number == *number) else { continue };
        if found.exchange.is_erased() {
            continue;
        }
        erase_exchange(&mut found.exchange);
        let document = json(serde_json::to_string(&found.exchange))?;
        let forget = "UPDATE exchange SET request_body = x'', answer_body = x'', document = ?3 \
                      WHERE organization = ?1 AND number = ?2";
        db.prepare_cached(forget)?.execute(params![owner, int(*number), document])?;
        let lost = "DELETE FROM exchange_facet WHERE organization = ?1 AND number = ?2";
        db.prepare_cached(lost)?.execute(params![owner, int(*number)])?;
        facets::insert(&db, &found.exchange, *number)?;
        erased += 1;
    }
    db.commit()?;
    if erased > 0 {
        empty_the_log_ahead(connection);
    }
    Ok(erased)
}

/// Takes what was dropped out of the write-ahead log as well. A reader may be in the way: then the
/// next drop, the end of the process or the next start does it.
pub(super) fn empty_the_log_ahead(connection: &Connection) {
    let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
    if let Err(error) = connection.query_row(truncate, [], |_| Ok(())) {
        tracing::warn!(%error, "what was dropped is still in the write-ahead log");
    }
}

/// Where an organization's log ends while parts of a backup are put down.
struct End {
    head: Head,
    tree: Regrowing,
    last_exchange: Option<ExchangeId>,
    has_moved: bool,
}

impl End {
    fn of(kept: ledger::Kept) -> Self {
        let tree = Regrowing::from(kept.tree);
        Self { head: kept.head, tree, last_exchange: None, has_moved: false }
    }
}

/// Puts parts of a backup in place, all or none.
pub(super) fn restore(db: &mut Connection, parts: &[Restored]) -> Result<(), LogError> {
    let transaction =
        db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(log_error)?;
    let mut ends: HashMap<OrganizationId, End> = HashMap::new();
    for part in parts {
        let organization = match part {
            Restored::Record(record) => record.stream.organization,
            Restored::Exchange(exchange) => exchange.exchange.organization,
            Restored::ClaimKey(..) | Restored::Claim(..) => OrganizationId::NONE,
        };
        let end = match ends.entry(organization) {
            Entry::Occupied(end) => end.into_mut(),
            Entry::Vacant(end) => {
                end.insert(End::of(ledger::kept(&transaction, organization).map_err(log_error)?))
            }
        };
        place(&transaction, part, end)?;
    }
    for (organization, end) in ends.into_iter().filter(|(_, end)| end.has_moved) {
        let tree = end.tree.kept();
        let moved = Moved { head: end.head, tree: tree.as_ref(), last_exchange: end.last_exchange };
        ledger::move_head(&transaction, organization, moved).map_err(log_error)?;
        ledger::uncover(&transaction, organization).map_err(log_error)?;
    }
    transaction.commit().map_err(log_error)
}

/// Puts one part in place, and moves the end of its organization's log behind it.
fn place(db: &Connection, part: &Restored, end: &mut End) -> Result<(), LogError> {
    match part {
        Restored::ClaimKey(scope, key) => {
            if claim_key(db, *scope, *key).map_err(log_error)? != *key {
                return Err(LogError::Damaged(format!("{scope} has another claim key")));
            }
        }
        Restored::Claim(claim, holder) => hold(db, claim, holder).map_err(log_error)?,
        Restored::Record(record) => {
            let version = read::version(db, &record.stream).map_err(log_error)?;
            if (record.position, record.version) != (end.head.position + 1, version + 1) {
                return Err(LogError::Damaged(format!(
                    "position {} of version {} cannot follow position {} and version {version}",
                    record.position, record.version, end.head.position
                )));
            }
            let leaf = record_leaf(record);
            insert_record(db, record, leaf).map_err(log_error)?;
            end.tree.record(leaf);
            (end.head.position, end.has_moved) = (record.position, true);
        }
        Restored::Exchange(exchange) => {
            let (organization, id) = (exchange.exchange.organization, exchange.exchange.id);
            let known = read::exchange_place(db, organization, id).map_err(log_error)?.is_some();
            let Some((number, after)) = restored_place(exchange, end.head, known)? else {
                return Ok(());
            };
            let exchange = RecordedExchange { number, after, ..RecordedExchange::clone(exchange) };
            let leaf = exchange_leaf(&exchange);
            insert_exchange(db, &exchange, leaf).map_err(log_error)?;
            facets::insert(db, &exchange.exchange, exchange.number).map_err(log_error)?;
            end.tree.exchange(leaf, after, end.head.position);
            (end.head.exchange_number, end.has_moved) = (number, true);
            end.last_exchange = Some(id);
        }
    }
    Ok(())
}
