//! Bringing a log of format 2, in which everything is in the clear, to the format of today: all of
//! it in one transaction, and a copy of it is kept beside it.

use super::codec::{self, log_error};
use super::home::Home;
use super::identity::keep_note;
use super::ledger::{self, Moved};
use super::read;
use super::{FORMAT, facets};
use crate::error::OpenError;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use rusqlite::{Connection, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use tokio::runtime::Handle;
use uuid::Uuid;

/// The format that is rewritten.
const BEFORE: i64 = 2;

/// Whether the log is of that format. An empty one needs nothing but the number of today's.
pub(super) fn is_of_before(db: &Connection) -> rusqlite::Result<bool> {
    let format: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let is_empty = read::heads(db)?.is_empty();
    if format == BEFORE && is_empty {
        db.pragma_update(None, "user_version", FORMAT)?;
    }
    Ok(format == BEFORE && !is_empty)
}

/// Rewrites the log if it is of that format.
pub(super) fn rewrite(
    db: &mut Connection,
    fresh: Uuid,
    by: &dyn Rewrite,
    runtime: &Handle,
) -> Result<Option<Rewritten>, LogError> {
    if !is_of_before(db).map_err(log_error)? {
        return Ok(None);
    }
    let heads = read::heads(db).map_err(log_error)?;
    let log = db.path().map(PathBuf::from).unwrap_or_default();
    let copy = keep_copy(db, &log).map_err(|e| LogError::Unavailable(e.to_string()))?;
    let transaction =
        db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(log_error)?;
    let mut entries = 0;
    for (organization, head) in heads {
        entries += head.position + head.exchange_number;
        records(&transaction, organization, by, runtime)?;
        exchanges(&transaction, organization, by, runtime)?;
        grow(&transaction, organization, head).map_err(log_error)?;
    }
    let was = finish(&transaction, fresh).map_err(log_error)?;
    transaction.commit().map_err(log_error)?;
    // What was in the clear leaves the write-ahead log, too.
    let emptied = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    emptied.map_err(log_error)?;
    Ok(Some(Rewritten { was, entries, copy: copy.display().to_string() }))
}

/// A copy of the log beside it, as much of a secret as the log. It is closed in good order: whoever
/// goes back to it puts it in the place of the log.
fn keep_copy(db: &Connection, log: &Path) -> Result<PathBuf, OpenError> {
    let copy = log.with_extension(format!("db.format-{BEFORE}"));
    let part = log.with_extension(format!("db.format-{BEFORE}.part"));
    // What an attempt left that broke off is no copy of anything.
    match std::fs::remove_file(&part) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(OpenError::io(&part)(e)),
        _ => {}
    }
    tracing::info!(copy = %copy.display(), "what is personal in the log is sealed; a copy of the log as it was is kept, to be deleted by you");
    db.execute("VACUUM INTO ?1", [part.to_string_lossy()])?;
    restrict(&part).map_err(OpenError::io(&part))?;
    let closed = Connection::open(&part)?;
    keep_note(&closed, Home::NOTE, None)?;
    closed.close().map_err(|(_, e)| e)?;
    std::fs::rename(&part, &copy).map_err(OpenError::io(&copy))?;
    let folder = log.parent().unwrap_or(Path::new("."));
    std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(OpenError::io(folder))?;
    Ok(copy)
}

fn restrict(copy: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(copy, std::fs::Permissions::from_mode(0o600))?;
    std::fs::File::open(copy)?.sync_all()
}

fn records(
    db: &Connection,
    organization: OrganizationId,
    by: &dyn Rewrite,
    runtime: &Handle,
) -> Result<(), LogError> {
    let sql = "UPDATE event SET payload = ?3, leaf = ?4 WHERE organization = ?1 AND position = ?2";
    let mut after = 0;
    loop {
        let page = read::records(db, organization, after, 500).map_err(log_error)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.position;
        let mut keep = db.prepare_cached(sql).map_err(log_error)?;
        for mut record in page {
            runtime.block_on(by.record(&mut record))?;
            let leaf = record_leaf(&record);
            let at = codec::int(record.position);
            keep.execute(params![organization.0.as_bytes(), at, record.payload, leaf.0])
                .map_err(log_error)?;
        }
    }
}

fn exchanges(
    db: &Connection,
    organization: OrganizationId,
    by: &dyn Rewrite,
    runtime: &Handle,
) -> Result<(), LogError> {
    let found = "DELETE FROM exchange_facet WHERE organization = ?1";
    db.execute(found, [organization.0.as_bytes()]).map_err(log_error)?;
    let sql = "UPDATE exchange SET document = ?3, request_body = ?4, answer_body = ?5, leaf = ?6 \
               WHERE organization = ?1 AND number = ?2";
    let mut after = 0;
    loop {
        let page = read::exchanges(db, organization, after, 64, Bodies::Read).map_err(log_error)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.number;
        let mut keep = db.prepare_cached(sql).map_err(log_error)?;
        for mut recorded in page {
            runtime.block_on(by.exchange(&mut recorded.exchange))?;
            let leaf = exchange_leaf(&recorded);
            let (at, x) = (codec::int(recorded.number), &recorded.exchange);
            let document =
                serde_json::to_string(x).map_err(|e| LogError::Damaged(e.to_string()))?;
            let bodies = (&x.request_body, &x.answer_body);
            let id = organization.0.as_bytes();
            keep.execute(params![id, at, document, bodies.0, bodies.1, leaf.0])
                .map_err(log_error)?;
            facets::insert(db, x, recorded.number).map_err(log_error)?;
        }
    }
}

/// The tree over the leaves of now, which came later than what is under them.
fn grow(db: &Connection, organization: OrganizationId, head: Head) -> rusqlite::Result<()> {
    ledger::uncover(db, organization)?;
    let tree = ledger::grow(db, organization)?;
    ledger::move_head(db, organization, Moved { head, tree: Some(&tree), last_exchange: None })
}

/// Gives the log its other epoch and its format. Snapshots are made anew when they are needed.
fn finish(db: &Connection, fresh: Uuid) -> rusqlite::Result<Uuid> {
    db.execute("DELETE FROM snapshot", [])?;
    let was = ledger::epoch(db)?;
    db.execute("UPDATE identity SET epoch = ?1", [fresh.as_bytes()])?;
    keep_note(db, &rewritten_of(was), Some(&fresh.to_string()))?;
    keep_note(db, REWRITTEN_FROM, Some(&was.to_string()))?;
    db.pragma_update(None, "user_version", FORMAT)?;
    Ok(was)
}
