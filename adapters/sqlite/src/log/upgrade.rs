//! Bringing a log of before to the format of today.
//!
//! Format 1 had no ledger. Each record and exchange gets its leaf, from the first to the last, and
//! each head its tree, with the remark that the leaves came later than what is under them.

use super::codec;
use super::ledger::{self, Moved};
use super::read;
use super::write::{insert_exchange, insert_record};
use crate::error::OpenError;
use rollcall_domain::ids::ExchangeId;
use rollcall_domain::log::*;
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};

/// Whether a log has to be converted before it is used.
pub(super) fn is_of_before(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("PRAGMA user_version", [], |row| Ok(row.get::<_, i64>(0)? == 1))
}

/// Keeps a copy of the log beside it, and converts the log, all of it or nothing. Gives the copy,
/// which is left for whoever may delete it.
pub(super) fn upgrade(db: &mut Connection, log: &Path) -> Result<PathBuf, OpenError> {
    let copy = log.with_extension("db.format-1");
    // What an attempt left that broke off is no copy of anything.
    match std::fs::remove_file(&copy) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(OpenError::io(&copy)(e));
        }
        _ => {}
    }
    tracing::info!(copy = %copy.display(), "the log is converted to format 2; a copy of it is kept");
    db.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    restrict(&copy)?;
    convert(db)?;
    Ok(copy)
}

/// As much of it is secret as of the log.
fn restrict(copy: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(copy, mode).map_err(OpenError::io(copy))?;
    let file = std::fs::File::open(copy).map_err(OpenError::io(copy))?;
    file.sync_all().map_err(OpenError::io(copy))
}

fn convert(db: &mut Connection) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "ALTER TABLE head RENAME TO head_1; ALTER TABLE event RENAME TO event_1; ALTER TABLE exchange RENAME TO exchange_1; \
         DROP INDEX event_position; DROP INDEX event_stream; \
         DROP INDEX exchange_number; DROP INDEX exchange_id;",
    )?;
    // The tables that stayed as they were are left alone.
    transaction.execute_batch(include_str!("ledger.sql"))?;
    let heads = read::all(
        &transaction,
        "SELECT organization, position, exchange_number FROM head_1",
        [],
        codec::named_head,
    )?;
    copy_records(&transaction)?;
    copy_exchanges(&transaction)?;
    for (organization, head) in heads {
        let moved = Moved { head, tree: None, last_exchange: None };
        ledger::move_head(&transaction, organization, moved)?;
        ledger::uncover(&transaction, organization)?;
        let tree = ledger::grow(&transaction, organization)?;
        let last = "SELECT id FROM exchange WHERE organization = ?1 ORDER BY number DESC LIMIT 1";
        let last_exchange = read::one(&transaction, last, [organization.0.as_bytes()], |row| {
            Ok(ExchangeId(row.get::<_, codec::Id>(0)?.0))
        })?;
        let moved = Moved { head, tree: Some(&tree), last_exchange };
        ledger::move_head(&transaction, organization, moved)?;
    }
    transaction.execute_batch("DROP TABLE head_1; DROP TABLE event_1; DROP TABLE exchange_1;")?;
    transaction.pragma_update(None, "user_version", 2)?;
    transaction.commit()
}

/// In the order in which they were written, so that the rows lie on the disk as they did.
fn copy_records(db: &Connection) -> rusqlite::Result<()> {
    let sql = format!("SELECT {} FROM event_1 ORDER BY rowid", codec::RECORD);
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let record = codec::record(row)?;
        insert_record(db, &record, record_leaf(&record))?;
    }
    Ok(())
}

fn copy_exchanges(db: &Connection) -> rusqlite::Result<()> {
    let sql = format!("SELECT {} FROM exchange_1 ORDER BY rowid", codec::EXCHANGE_BODIES);
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let exchange = codec::exchange(row, Bodies::Read)?;
        insert_exchange(db, &exchange, exchange_leaf(&exchange))?;
    }
    Ok(())
}
