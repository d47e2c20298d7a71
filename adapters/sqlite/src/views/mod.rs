//! The views in SQLite.

mod file;
mod inline;
mod transaction;
mod value;

use crate::connection::Durability;
use crate::error::OpenError;
use crate::folder::{self, Held};
use async_trait::async_trait;
use file::Open;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::sql::{Family, OpenTransaction, SqlError, SqlRow, SqlStore, SqlValue};
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{RwLock, Semaphore};
use transaction::Transaction;

pub(crate) use inline::InlineTransaction;

/// What the files of a family are called after.
fn stem(family: Family) -> &'static str {
    match family {
        Family::Live => "views",
        Family::Audit => "audit",
    }
}

/// What the file of the side store is called after.
const SIDE: &str = "side";
/// How often it is tried to empty a write-ahead log that somebody reads.
const SCRUBS: usize = 50;
/// How long is waited in between.
const SCRUB_PAUSE: Duration = Duration::from_millis(20);

/// A family of views in `views.db` or `audit.db`: one writer, a few readers that never wait for it.
#[derive(Clone)]
pub struct SqliteViews(Arc<Inner>);

struct Inner {
    /// None once this was promoted away, or when a promotion failed half way.
    open: RwLock<Option<Open>>,
    /// SQLite has one writer, so organizations take turns.
    turn: Arc<Semaphore>,
    /// What scratch files are called after.
    stem: &'static str,
    path: PathBuf,
    durability: Durability,
    /// True for a scratch store; its file goes with it.
    scratch: AtomicBool,
    /// Scratch stores made here that still live.
    scratches: Mutex<HashMap<String, Weak<Inner>>>,
    home: Arc<Home>,
}

/// What must outlive the files.
struct Home {
    dir: PathBuf,
    /// Numbers the scratch files.
    next: AtomicU64,
    /// None for a folder of our own, which goes with us.
    lock: Option<Arc<Held>>,
}

impl SqliteViews {
    /// Opens a family of views of a data folder; makes both if they are not there. Removes scratch
    /// files that an earlier process left.
    pub fn open(dir: &Path, family: Family) -> Result<Self, OpenError> {
        Self::at(dir, family, Durability::Normal)
    }

    /// The same without flushing anything: for a folder that is being made and can be made again.
    pub fn open_unflushed(dir: &Path, family: Family) -> Result<Self, OpenError> {
        Self::at(dir, family, Durability::Off)
    }

    /// What is durable beside log and views, in `side.db`: nothing makes it anew, so each commit is
    /// flushed.
    pub fn aside(dir: &Path) -> Result<Self, OpenError> {
        Self::named(dir, SIDE, Durability::Full)
    }

    /// The same without flushing anything.
    pub fn aside_unflushed(dir: &Path) -> Result<Self, OpenError> {
        Self::named(dir, SIDE, Durability::Off)
    }

    fn at(dir: &Path, family: Family, durability: Durability) -> Result<Self, OpenError> {
        Self::named(dir, stem(family), durability)
    }

    fn named(dir: &Path, stem: &'static str, durability: Durability) -> Result<Self, OpenError> {
        let lock = folder::share(dir)?;
        let scratch = scratch_prefix(stem);
        for entry in std::fs::read_dir(dir).map_err(OpenError::io(dir))? {
            let entry = entry.map_err(OpenError::io(dir))?;
            if entry.file_name().to_string_lossy().starts_with(&scratch) {
                std::fs::remove_file(entry.path()).map_err(OpenError::io(entry.path()))?;
            }
        }
        let home = Home { dir: dir.to_owned(), next: AtomicU64::new(1), lock: Some(lock) };
        Self::new(Arc::new(home), stem, &format!("{stem}.db"), durability, false)
    }

    /// Views that are gone with their last handle. They are kept in a folder of their own among
    /// the system's temporary files and never flushed: readers beside a writer need a file.
    pub fn in_memory() -> Result<Self, OpenError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let temporary = std::env::temp_dir();
        let dir = loop {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let dir = temporary.join(format!("rollcall-views-{}-{n}", std::process::id()));
            match std::fs::create_dir(&dir) {
                Ok(()) => break dir,
                // Left by a process that was killed and had our id.
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(OpenError::io(dir)(e)),
            }
        };
        let home = Home { dir, next: AtomicU64::new(1), lock: None };
        Self::new(Arc::new(home), "views", "views.db", Durability::Off, false)
    }

    fn new(
        home: Arc<Home>,
        stem: &'static str,
        name: &str,
        durability: Durability,
        scratch: bool,
    ) -> Result<Self, OpenError> {
        let path = home.dir.join(name);
        let open = RwLock::new(Some(Open::at(&path, durability, stem == SIDE)?));
        let (turn, scratch, scratches) =
            (Arc::new(Semaphore::new(1)), AtomicBool::new(scratch), Mutex::default());
        Ok(Self(Arc::new(Inner { open, turn, stem, path, durability, scratch, scratches, home })))
    }

    async fn transaction(&self) -> Result<Box<dyn OpenTransaction>, SqlError> {
        let turn = self.0.turn.clone().acquire_owned().await.map_err(|_| closed())?;
        let writer = self.0.open.read().await.as_ref().ok_or_else(closed)?.writer.clone();
        Ok(Box::new(Transaction::new(writer, turn)))
    }
}

impl SqliteViews {
    /// Runs something on a connection that writes, on the caller's thread, if nobody else writes
    /// these views or replaces them; else it runs without.
    pub(crate) fn in_turn<T>(&self, job: impl FnOnce(Option<&mut Connection>) -> T) -> T {
        let inner = &*self.0;
        let (Ok(_turn), Ok(open)) = (inner.turn.try_acquire(), inner.open.try_read()) else {
            return job(None);
        };
        let Some(open) = &*open else { return job(None) };
        match open.inline(&inner.path, inner.durability) {
            Ok(mut connection) => job(connection.as_mut()),
            Err(e) => {
                tracing::warn!(error = %e, "the views cannot be opened beside the log");
                job(None)
            }
        }
    }
}

fn scratch_prefix(stem: &str) -> String {
    format!("{stem}.scratch-")
}

fn closed() -> SqlError {
    SqlError::Unavailable("these views are closed".into())
}

fn failed(e: impl std::fmt::Display) -> SqlError {
    SqlError::Unavailable(e.to_string())
}

#[async_trait]
impl SqlStore for SqliteViews {
    async fn query(&self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        let open = self.0.open.read().await;
        let sql = sql.to_owned();
        let rows = open
            .as_ref()
            .ok_or_else(closed)?
            .readers
            .run(move |db| value::query(db, &sql, &params))
            .await;
        rows.map_err(|_| SqlError::Unavailable("the reader stopped".into()))?
    }

    async fn begin(
        &self,
        _organization: OrganizationId,
    ) -> Result<Box<dyn OpenTransaction>, SqlError> {
        self.transaction().await
    }

    async fn begin_exclusive(&self) -> Result<Box<dyn OpenTransaction>, SqlError> {
        self.transaction().await
    }

    async fn scrub(&self) -> Result<(), SqlError> {
        let open = self.0.open.read().await;
        let writer = open.as_ref().ok_or_else(closed)?.writer.clone();
        for _ in 0..SCRUBS {
            let emptied = writer.run(|db| {
                db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
            });
            let emptied = emptied.await;
            let busy = emptied.map_err(|_| SqlError::Unavailable("the writer stopped".into()))?;
            if busy.map_err(value::sql_error)? == 0 {
                return Ok(());
            }
            tokio::time::sleep(SCRUB_PAUSE).await;
        }
        Err(SqlError::Unavailable("readers keep the write-ahead log from being emptied".into()))
    }

    async fn scratch(&self) -> Result<Arc<dyn SqlStore>, SqlError> {
        let (home, stem) = (self.0.home.clone(), self.0.stem);
        let name =
            format!("{}{}.db", scratch_prefix(stem), home.next.fetch_add(1, Ordering::Relaxed));
        let made = name.clone();
        // Nothing of it is worth a flush before it is promoted; then all of it is flushed at once.
        let scratch = tokio::task::spawn_blocking(move || {
            file::remove_database(&home.dir.join(&made));
            Self::new(home, stem, &made, Durability::Off, true)
        });
        let scratch = scratch.await.map_err(failed)?.map_err(failed)?;
        let mut known = self.0.scratches.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, scratch| scratch.strong_count() > 0);
        known.insert(name, Arc::downgrade(&scratch.0));
        Ok(Arc::new(scratch))
    }

    async fn promote(
        &self,
        scratch: Arc<dyn SqlStore>,
        exclusive: Box<dyn OpenTransaction>,
    ) -> Result<(), SqlError> {
        let name = scratch
            .scratch_name()
            .ok_or_else(|| SqlError::Refused("not a scratch store".into()))?;
        let known = self
            .0
            .scratches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&name)
            .and_then(Weak::upgrade);
        let inner = known
            .ok_or_else(|| SqlError::Refused(format!("{name} is no scratch of these views")))?;
        let _turn = inner
            .turn
            .try_acquire()
            .map_err(|_| SqlError::Refused("the scratch is being written".into()))?;
        if self.0.turn.available_permits() > 0 {
            return Err(SqlError::Refused("the transaction is not of these views".into()));
        }
        // From here on nobody reads or begins until the file is the new one. What the exclusive
        // transaction wrote went into tables that are about to vanish.
        let mut gate = self.0.open.write().await;
        drop(exclusive);
        let (Some(live), Some(new)) = (gate.take(), inner.open.write().await.take()) else {
            return Err(closed());
        };
        let (path, durability, from) = (self.0.path.clone(), self.0.durability, inner.path.clone());
        let swap = tokio::task::spawn_blocking(move || {
            let replaced = file::replace(live, &path, new, &from);
            (replaced, Open::at(&path, durability, false))
        });
        let (replaced, open) = swap.await.map_err(failed)?;
        *gate = Some(open.map_err(failed)?);
        replaced?;
        inner.scratch.store(false, Ordering::Release);
        Ok(())
    }

    fn scratch_name(&self) -> Option<String> {
        let name = self.0.path.file_name()?.to_str()?.to_owned();
        self.0.scratch.load(Ordering::Acquire).then_some(name)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let scratch = *self.scratch.get_mut();
        drop(self.open.get_mut().take());
        if scratch {
            file::remove_database(&self.path);
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.lock.is_none()
            && let Err(e) = std::fs::remove_dir_all(&self.dir)
        {
            tracing::warn!(error = %e, path = %self.dir.display(), "a temporary folder could not be removed");
        }
    }
}
