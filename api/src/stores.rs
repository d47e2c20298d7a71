//! Opens the log and the views on the database that the configuration names.

use crate::config::ServeConfig;
use anyhow::Context;
use rollcall_domain::log::Log;
use rollcall_domain::sql::SqlStore;
use rollcall_postgres::{ConnectOptions, PostgresLog, PostgresViews};
use rollcall_sqlite::{DataFolder, SqliteLog, SqliteViews};
use std::path::Path;
use std::sync::Arc;

/// Log and views, and what keeps them ours.
pub struct Stores {
    /// The log.
    pub log: Arc<dyn Log>,
    /// The views.
    pub views: Arc<dyn SqlStore>,
    /// True if other processes may write them too.
    pub shared: bool,
    /// What they are, for people.
    pub name: &'static str,
    _folder: Option<DataFolder>,
}

/// Opens what the configuration names.
pub async fn open(config: &ServeConfig) -> anyhow::Result<Stores> {
    match &config.database_url {
        None => Stores::in_folder(&config.data),
        Some(url) => Stores::in_postgres(url, config.database_connections).await,
    }
}

impl Stores {
    /// SQLite in a data folder, which is locked as long as these live.
    pub fn in_folder(data: &Path) -> anyhow::Result<Self> {
        let folder = DataFolder::lock(data)?;
        let log = SqliteLog::open(data)?;
        let views = SqliteViews::open(data)?;
        Ok(Self { log: Arc::new(log), views: Arc::new(views), shared: false, name: "embedded store", _folder: Some(folder) })
    }

    /// The same without waiting for the disk: fast, and lost with the power. For a folder that is
    /// being made and can be made again.
    pub fn in_folder_unflushed(data: &Path) -> anyhow::Result<Self> {
        let folder = DataFolder::lock(data)?;
        let log = SqliteLog::open_unflushed(data)?;
        let views = SqliteViews::open_unflushed(data)?;
        Ok(Self { log: Arc::new(log), views: Arc::new(views), shared: false, name: "embedded store", _folder: Some(folder) })
    }

    /// A PostgreSQL database, with so many connections for reading.
    pub async fn in_postgres(url: &str, readers: u32) -> anyhow::Result<Self> {
        let options = ConnectOptions { readers, ..ConnectOptions::default() };
        let log = PostgresLog::connect(url, options).await.context("cannot use the PostgreSQL database of --database-url")?;
        let views = PostgresViews::connect(url).await.context("cannot use the PostgreSQL database of --database-url")?;
        Ok(Self { log: Arc::new(log), views: Arc::new(views), shared: true, name: "PostgreSQL", _folder: None })
    }

    /// Stores that are gone when they are dropped.
    pub fn in_memory() -> anyhow::Result<Self> {
        let log = SqliteLog::in_memory()?;
        let views = SqliteViews::in_memory()?;
        Ok(Self { log: Arc::new(log), views: Arc::new(views), shared: false, name: "memory", _folder: None })
    }
}
