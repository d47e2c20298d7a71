//! Opens the log and the views on the database that the configuration names.

use crate::config::ServeConfig;
use anyhow::Context;
use rollcall_domain::log::Log;
use rollcall_domain::sql::SqlStore;
use rollcall_postgres::{ConnectOptions, PostgresLog, PostgresViews};
use rollcall_sqlite::{DataFolder, SqliteLog, SqliteViews};
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

/// Opens them.
pub async fn open(config: &ServeConfig) -> anyhow::Result<Stores> {
    match &config.database_url {
        None => {
            let folder = DataFolder::lock(&config.data)?;
            let log = SqliteLog::open(&config.data)?;
            let views = SqliteViews::open(&config.data)?;
            Ok(Stores { log: Arc::new(log), views: Arc::new(views), shared: false, name: "embedded store", _folder: Some(folder) })
        }
        Some(url) => {
            let options = ConnectOptions { readers: config.database_connections, ..ConnectOptions::default() };
            let log = PostgresLog::connect(url, options).await.context("cannot use the PostgreSQL database of --database-url")?;
            let views = PostgresViews::connect(url).await.context("cannot use the PostgreSQL database of --database-url")?;
            Ok(Stores { log: Arc::new(log), views: Arc::new(views), shared: true, name: "PostgreSQL", _folder: None })
        }
    }
}
