//! What is written to the log.

use super::codec::{int, log_error};
use super::facets;
use super::inline::InlineViews;
use super::read;
use rollcall_domain::claim::Claim;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use rusqlite::{Connection, TransactionBehavior, params};
use std::collections::HashMap;

/// Decides and writes a batch in one transaction, and flushes it.
pub(super) fn append(
    db: &mut Connection,
    appends: Vec<Append>,
    inline: Option<&InlineViews>,
) -> rusqlite::Result<Vec<Result<Appended, AppendError>>> {
    // Immediate: nobody may write between the reading of the facts and the writing of the plan.
    // Dropped without commit, also by a commit that failed, it rolls back.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    metrics::histogram!("rollcall_append_batch_size").record(appends.len() as f64);
    let facts = facts(&transaction, &wanted(&appends))?;
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
    Ok(plan.outcomes)
}

fn facts(db: &Connection, wanted: &Wanted) -> rusqlite::Result<Facts> {
    let mut facts = Facts::default();
    for organization in &wanted.organizations {
        facts.heads.insert(*organization, read::head(db, *organization)?);
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
    Ok(facts)
}

fn write(db: &Connection, plan: &Plan) -> rusqlite::Result<()> {
    for record in &plan.records {
        insert_record(db, record)?;
    }
    for exchange in &plan.exchanges {
        insert_exchange(db, exchange, exchange.number)?;
    }
    for (claim, outcome) in &plan.claims {
        match outcome {
            ClaimOutcome::Held(holder) => hold(db, claim, holder)?,
            ClaimOutcome::Free => free(db, claim)?,
        }
    }
    for (organization, head) in &plan.heads {
        move_head(db, *organization, *head)?;
    }
    Ok(())
}

fn insert_record(db: &Connection, r: &Record) -> rusqlite::Result<()> {
    let sql = "INSERT INTO event (organization, position, kind, id, version, event_type, event_version, recorded_at, exchange, actor, payload) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
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
        r.payload,
    ])?;
    Ok(())
}

fn insert_exchange(
    db: &Connection,
    r: &RecordedExchange,
    number: ExchangeNumber,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO exchange (organization, number, id, first, last, after, document, request_body, answer_body) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let x = &r.exchange;
    db.prepare_cached(sql)?.execute(params![
        x.organization.0.as_bytes(),
        int(number),
        x.id.0.as_bytes(),
        r.positions.map(|p| int(p.0)),
        r.positions.map(|p| int(p.1)),
        int(r.after),
        json(serde_json::to_string(x))?,
        x.request_body,
        x.answer_body,
    ])?;
    facets::insert(db, x, number)
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

fn move_head(db: &Connection, organization: OrganizationId, head: Head) -> rusqlite::Result<()> {
    let sql = "INSERT INTO head (organization, position, exchange_number) VALUES (?1, ?2, ?3) \
               ON CONFLICT (organization) DO UPDATE SET position = excluded.position, exchange_number = excluded.exchange_number";
    db.prepare_cached(sql)?.execute(params![
        organization.0.as_bytes(),
        int(head.position),
        int(head.exchange_number)
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

/// Drops the bodies of exchanges, and says so in each.
pub(super) fn drop_bodies(
    db: &Connection,
    organization: OrganizationId,
    after: ExchangeNumber,
    through: ExchangeNumber,
) -> rusqlite::Result<u64> {
    let sql = "UPDATE exchange SET request_body = x'', answer_body = x'', document = json_set(document, '$.bodies_dropped', json('true')) \
               WHERE organization = ?1 AND number > ?2 AND number <= ?3 AND (length(request_body) > 0 OR length(answer_body) > 0)";
    let rows = db.prepare_cached(sql)?.execute(params![
        organization.0.as_bytes(),
        int(after),
        int(through)
    ])?;
    Ok(rows as u64)
}

/// Puts parts of a backup in place, all or none.
pub(super) fn restore(db: &mut Connection, parts: &[Restored]) -> Result<(), LogError> {
    let transaction =
        db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(log_error)?;
    let mut heads: HashMap<OrganizationId, Head> = HashMap::new();
    for part in parts {
        let organization = match part {
            Restored::Record(record) => record.stream.organization,
            Restored::Exchange(exchange) => exchange.exchange.organization,
            Restored::ClaimKey(..) | Restored::Claim(..) => OrganizationId::NONE,
        };
        let head = match heads.get(&organization) {
            Some(head) => *head,
            None => read::head(&transaction, organization).map_err(log_error)?,
        };
        let head = place(&transaction, part, head)?;
        heads.insert(organization, head);
    }
    for (organization, head) in heads.into_iter().filter(|(_, head)| *head != Head::default()) {
        move_head(&transaction, organization, head).map_err(log_error)?;
    }
    transaction.commit().map_err(log_error)
}

/// Puts one part in place, and says where its organization's log ends then.
fn place(db: &Connection, part: &Restored, head: Head) -> Result<Head, LogError> {
    match part {
        Restored::ClaimKey(scope, key) => {
            if claim_key(db, *scope, *key).map_err(log_error)? != *key {
                return Err(LogError::Damaged(format!("{scope} has another claim key")));
            }
            Ok(head)
        }
        Restored::Claim(claim, holder) => hold(db, claim, holder).map_err(log_error).map(|()| head),
        Restored::Record(record) => {
            let version = read::version(db, &record.stream).map_err(log_error)?;
            if (record.position, record.version) != (head.position + 1, version + 1) {
                return Err(LogError::Damaged(format!(
                    "position {} of version {} cannot follow position {} and version {version}",
                    record.position, record.version, head.position
                )));
            }
            insert_record(db, record).map_err(log_error)?;
            Ok(Head { position: record.position, ..head })
        }
        Restored::Exchange(exchange) => {
            let (organization, id) = (exchange.exchange.organization, exchange.exchange.id);
            let known = read::exchange_place(db, organization, id).map_err(log_error)?.is_some();
            let Some(number) = restored_number(exchange, head, known)? else { return Ok(head) };
            insert_exchange(db, exchange, number).map_err(log_error)?;
            Ok(Head { exchange_number: number, ..head })
        }
    }
}
