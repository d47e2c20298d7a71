//! Connections and the settings they run with.

use crate::error::OpenError;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

/// How hard a commit is pressed onto the disk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Durability {
    /// Every commit is flushed.
    Full,
    /// Commits may be lost with the power, but never half of one.
    Normal,
    /// Nothing is flushed: for files that do not outlive the process.
    Off,
}

/// A connection that writes.
pub(crate) fn writer(
    path: &Path,
    durability: Durability,
    cache_kib: u32,
) -> Result<Connection, OpenError> {
    // Names, mails and claim keys are in there. SQLite gives the files beside it the same mode.
    File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(OpenError::io(path))?;
    let connection = open(path, cache_kib)?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
        Durability::Off => "OFF",
    };
    // A checkpoint copies pages home and flushes twice, so it is worth waiting for 8 MiB of them.
    // A log that one long reader let grow is cut back afterwards.
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 67108864;"
    ))?;
    Ok(connection)
}

/// A connection that only reads, beside a writer.
pub(crate) fn reader(path: &Path, cache_kib: u32) -> rusqlite::Result<Connection> {
    let connection = open(path, cache_kib)?;
    connection.execute_batch("PRAGMA query_only = ON;")?;
    Ok(connection)
}

/// A database that lives in memory, with the only connection it will have.
pub(crate) fn memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    tune(&connection, 8 * 1024)?;
    Ok(connection)
}

fn open(path: &Path, cache_kib: u32) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    tune(&connection, cache_kib)?;
    Ok(connection)
}

fn tune(connection: &Connection, cache_kib: u32) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(256);
    connection.execute_batch(&format!(
        "PRAGMA cache_size = -{cache_kib}; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"
    ))
}

/// Brings a database to `supported`, the format this program writes: a new one gets `schema`, one
/// that is newer is refused. What is older has been converted before.
pub(crate) fn migrate(
    connection: &mut Connection,
    schema: &str,
    supported: i64,
) -> Result<(), OpenError> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > supported {
        return Err(OpenError::Newer { found, supported });
    }
    if found == 0 {
        transaction.execute_batch(schema)?;
        transaction.pragma_update(None, "user_version", supported)?;
    }
    transaction.commit()?;
    Ok(())
}
