//! Opens the log and the views on the database that the configuration names.

use anyhow::Context;
use rollcall_domain::log::Log;
use rollcall_domain::sql::{Family, SqlStore};
use rollcall_postgres::{ConnectOptions, PostgresLog, PostgresViews};
use rollcall_sqlite::{DataFolder, SqliteLog, SqliteViews};
use std::path::Path;
use std::sync::Arc;

/// Log and views, and what keeps them ours.
pub struct Stores {
    /// The log.
    pub log: Arc<dyn Log>,
    /// The views that answer SCIM.
    pub live: Arc<dyn SqlStore>,
    /// The views that answer auditors.
    pub audit: Arc<dyn SqlStore>,
    /// True if other processes may write them too.
    pub shared: bool,
    /// What they are, for people.
    pub name: &'static str,
    _folder: Option<DataFolder>,
}

/// Opens a PostgreSQL database with so many connections for reading, if one is named; else the data
/// folder.
///
/// # Errors
/// Name the flag to change.
pub async fn open(data: &Path, database: Option<(&str, u32)>) -> anyhow::Result<Stores> {
    match database {
        None => Stores::in_folder(data).context("cannot use the data folder of --data"),
        Some((url, readers)) => Stores::in_postgres(url, readers).await,
    }
}

impl Stores {
    /// SQLite in a data folder, which is locked as long as these live.
    pub fn in_folder(data: &Path) -> anyhow::Result<Self> {
        let folder = DataFolder::lock(data)?;
        let log = Arc::new(SqliteLog::open(data)?);
        let live = Arc::new(SqliteViews::open(data, Family::Live)?);
        let audit = Arc::new(SqliteViews::open(data, Family::Audit)?);
        Ok(Self { log, live, audit, shared: false, name: "embedded store", _folder: Some(folder) })
    }

    /// The same without waiting for the disk: fast, and lost with the power. For a folder that is
    /// being made and can be made again.
    pub fn in_folder_unflushed(data: &Path) -> anyhow::Result<Self> {
        let folder = DataFolder::lock(data)?;
        let log = Arc::new(SqliteLog::open_unflushed(data)?);
        let live = Arc::new(SqliteViews::open_unflushed(data, Family::Live)?);
        let audit = Arc::new(SqliteViews::open_unflushed(data, Family::Audit)?);
        Ok(Self { log, live, audit, shared: false, name: "embedded store", _folder: Some(folder) })
    }

    /// A PostgreSQL database, with so many connections for reading.
    pub async fn in_postgres(url: &str, readers: u32) -> anyhow::Result<Self> {
        let options = ConnectOptions { readers, ..ConnectOptions::default() };
        let refused = "cannot use the PostgreSQL database of --database-url";
        let log = Arc::new(PostgresLog::connect(url, options).await.context(refused)?);
        let live = Arc::new(PostgresViews::connect(url, Family::Live).await.context(refused)?);
        let audit = Arc::new(PostgresViews::connect(url, Family::Audit).await.context(refused)?);
        Ok(Self { log, live, audit, shared: true, name: "PostgreSQL", _folder: None })
    }

    /// Stores that are gone when they are dropped.
    pub fn in_memory() -> anyhow::Result<Self> {
        let log = Arc::new(SqliteLog::in_memory()?);
        let (live, audit) = (Arc::new(SqliteViews::in_memory()?), Arc::new(SqliteViews::in_memory()?));
        Ok(Self { log, live, audit, shared: false, name: "memory", _folder: None })
    }
}
