//! The file of the views: opening it, and putting another in its place.

use super::value::sql_error;
use crate::connection::{self, Durability};
use crate::error::OpenError;
use crate::pool::Pool;
use rollcall_domain::sql::SqlError;
use rusqlite::Connection;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The format this program writes and reads. It says nothing about the views' own tables.
const FORMAT: i64 = 1;
const READERS: usize = 3;
/// Page caches, in KiB.
const WRITER_CACHE: u32 = 16 * 1024;
const READER_CACHE: u32 = 8 * 1024;

/// A file that is open: one connection that writes, a few that read, and one for the thread of the
/// log, which writes in turn with the first.
pub(super) struct Open {
    pub readers: Pool,
    pub writer: Arc<Pool>,
    /// Made when it is asked for.
    inline: Mutex<Option<Connection>>,
}

impl Open {
    /// `wipes` if nothing is to be left in its pages of what is removed.
    pub fn at(path: &Path, durability: Durability, wipes: bool) -> Result<Self, OpenError> {
        let mut writer = connection::writer(path, durability, WRITER_CACHE)?;
        if wipes {
            writer.execute_batch("PRAGMA secure_delete = ON")?;
        }
        connection::migrate(&mut writer, "", FORMAT)?;
        let readers = (0..READERS)
            .map(|_| connection::reader(path, READER_CACHE))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            readers: Pool::start("views-reader", readers).map_err(OpenError::io(path))?,
            writer: Arc::new(
                Pool::start("views-writer", vec![writer]).map_err(OpenError::io(path))?,
            ),
            inline: Mutex::default(),
        })
    }

    /// The connection of the log's thread. Whoever calls has the turn.
    pub fn inline(
        &self,
        path: &Path,
        durability: Durability,
    ) -> Result<MutexGuard<'_, Option<Connection>>, OpenError> {
        let mut kept = self.inline.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() {
            let connection = connection::writer(path, durability, WRITER_CACHE)?;
            // Appends do not wait for the views.
            connection.busy_timeout(Duration::ZERO)?;
            *kept = Some(connection);
        }
        Ok(kept)
    }

    /// Closes the file so that all of it is in the one file, nothing in a WAL beside it, and that
    /// file is on the disk. Blocks.
    fn settle(self, path: &Path) -> Result<(), SqlError> {
        drop((self.readers, self.inline));
        let writer = Arc::into_inner(self.writer)
            .ok_or_else(|| SqlError::Refused("a transaction is open".into()))?;
        let (reply, answer) = std::sync::mpsc::channel();
        writer.post(move |db| {
            drop(
                reply.send(
                    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
                        .map_err(sql_error),
                ),
            );
        });
        let busy =
            answer.recv().map_err(|_| SqlError::Unavailable("the writer stopped".into()))??;
        // The last connection to close removes the WAL and its index.
        drop(writer);
        let wal = std::fs::metadata(beside(path, "-wal")).map_or(0, |file| file.len());
        if busy != 0 || wal != 0 {
            return Err(SqlError::Unavailable(format!("{} is still being read", path.display())));
        }
        File::open(path).and_then(|file| file.sync_all()).map_err(|e| unavailable(path, &e))
    }
}

/// Puts `new` in the place of `live`. Blocks.
///
/// Each file is complete in itself before one takes the other's name, and taking a name is one
/// step of the file system: whenever this is interrupted, `live` is the old file or the new one.
pub(super) fn replace(
    live: Open,
    live_path: &Path,
    new: Open,
    new_path: &Path,
) -> Result<(), SqlError> {
    new.settle(new_path)?;
    live.settle(live_path)?;
    for suffix in ["-wal", "-shm"] {
        // Both are empty by now, but a WAL must never meet a file it was not written for.
        remove(&beside(live_path, suffix));
        remove(&beside(new_path, suffix));
    }
    std::fs::rename(new_path, live_path).map_err(|e| unavailable(live_path, &e))?;
    let folder = live_path.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|dir| dir.sync_all()).map_err(|e| unavailable(folder, &e))
}

/// Removes a database file and what SQLite keeps beside it.
pub(super) fn remove_database(path: &Path) {
    for suffix in ["-wal", "-shm", ""] {
        remove(&beside(path, suffix));
    }
}

fn remove(path: &Path) {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(error = %e, path = %path.display(), "a file could not be removed");
        }
        _ => {}
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn unavailable(path: &Path, e: &std::io::Error) -> SqlError {
    SqlError::Unavailable(format!("{}: {e}", path.display()))
}
