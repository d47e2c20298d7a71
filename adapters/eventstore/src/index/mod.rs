//! What this process knows of the streams: an SQLite file that is folded from them, and may be
//! thrown away at any time.

pub(crate) mod facts;
pub(crate) mod fold;
pub(crate) mod folded;
pub(crate) mod ledger;
pub(crate) mod query;
mod values;

use crate::error::OpenError;
use rollcall_domain::log::LogError;
use rusqlite::{Connection, ErrorCode};
use std::fs::{File, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// The format this program folds into; a file of another one is thrown away.
const FORMAT: i64 = 2;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// One thread with one connection. Dropping it finishes what waits.
pub(crate) struct Index {
    queue: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    _lock: File,
}

impl Index {
    /// Opens the index in a folder, and makes both if they are not there.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        std::fs::create_dir_all(dir).map_err(OpenError::io(dir))?;
        let lock = lock(dir)?;
        let path = dir.join("kurrent-index.db");
        let connection = match connect(&path) {
            Ok(Some(connection)) => connection,
            unusable => {
                // Nothing is lost: it is folded again from the streams.
                tracing::warn!(path = %path.display(), error = ?unusable.err(), "the index is of no use and is made anew");
                for suffix in ["", "-wal", "-shm"] {
                    drop(std::fs::remove_file(dir.join(format!("kurrent-index.db{suffix}"))));
                }
                connect(&path)?.ok_or(rusqlite::Error::InvalidQuery)?
            }
        };
        let (queue, jobs) = channel();
        let thread = std::thread::Builder::new()
            .name("log-index".into())
            .spawn(move || work(connection, &jobs));
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread.map_err(OpenError::io(dir))?),
            _lock: lock,
        })
    }

    /// Runs a job on the index and waits for what it gives.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, LogError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| drop(reply.send(job(connection))));
        if let Some(queue) = &self.queue {
            // Refused only if the thread is gone; then the answer's channel closes.
            drop(queue.send(job));
        }
        match answer.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(e))
                if matches!(
                    e.sqlite_error_code(),
                    Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                ) =>
            {
                Err(LogError::Unavailable(format!(
                    "the index is broken; stop, delete it and start again: {e}"
                )))
            }
            Ok(Err(e)) => Err(LogError::Unavailable(format!("the index: {e}"))),
            Err(_) => Err(LogError::Unavailable("the index stopped".into())),
        }
    }
}

fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join("kurrent-index.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(OpenError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(dir.to_owned())),
        Err(TryLockError::Error(e)) => Err(OpenError::io(&path)(e)),
    }
}

/// None if the file is of another format.
fn connect(path: &Path) -> rusqlite::Result<Option<Connection>> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // Keyed hashes of names are in there. SQLite gives the files beside it the same mode.
    drop(File::options().create(true).append(true).mode(0o600).open(path));
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(128);
    // What a crash takes is folded again, so nothing here waits for the disk.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 2000; \
         PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
    )?;
    let transaction = connection.transaction()?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found == 0 {
        transaction.execute_batch(include_str!("schema.sql"))?;
        transaction.pragma_update(None, "user_version", FORMAT)?;
    }
    transaction.commit()?;
    Ok((found == 0 || found == FORMAT).then_some(connection))
}

fn work(mut connection: Connection, jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
            tracing::error!("a job on the index panicked");
        }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
