//! Empty stores of every kind.

use rollcall_domain::log::Log;
use rollcall_domain::sql::SqlStore;
use rollcall_tests::postgres_cluster::PostgresCluster;
use std::any::Any;
use std::sync::{Arc, OnceLock};

/// A log with nothing in it.
pub struct Logs {
    pub log: Arc<dyn Log>,
    _keep: Box<dyn Any + Send + Sync>,
}

/// Views with nothing in them.
pub struct Views {
    pub views: Arc<dyn SqlStore>,
    _keep: Box<dyn Any + Send + Sync>,
}

/// The server that all tests share which do not hurt it.
pub fn cluster() -> anyhow::Result<&'static PostgresCluster> {
    static CLUSTER: OnceLock<anyhow::Result<PostgresCluster>> = OnceLock::new();
    CLUSTER.get_or_init(PostgresCluster::start).as_ref().map_err(|e| anyhow::anyhow!("{e:#}"))
}

/// The URL of an empty database on the shared server.
pub async fn database() -> anyhow::Result<String> {
    tokio::task::spawn_blocking(|| cluster()?.create_database()).await?
}

pub mod sqlite_file {
    use super::{Logs, Views};
    use rollcall_domain::sql::Family;
    use rollcall_sqlite::{SqliteLog, SqliteViews};
    use std::sync::Arc;

    pub async fn log() -> anyhow::Result<Logs> {
        let dir = tempfile::tempdir()?;
        Ok(Logs { log: Arc::new(SqliteLog::open(dir.path())?), _keep: Box::new(dir) })
    }

    pub async fn views() -> anyhow::Result<Views> {
        let dir = tempfile::tempdir()?;
        Ok(Views { views: Arc::new(SqliteViews::open(dir.path(), Family::Live)?), _keep: Box::new(dir) })
    }
}

pub mod sqlite_memory {
    use super::{Logs, Views};
    use rollcall_sqlite::{SqliteLog, SqliteViews};
    use std::sync::Arc;

    pub async fn log() -> anyhow::Result<Logs> {
        Ok(Logs { log: Arc::new(SqliteLog::in_memory()?), _keep: Box::new(()) })
    }

    pub async fn views() -> anyhow::Result<Views> {
        Ok(Views { views: Arc::new(SqliteViews::in_memory()?), _keep: Box::new(()) })
    }
}

pub mod postgres {
    use super::{Logs, Views, database};
    use rollcall_domain::sql::Family;
    use rollcall_postgres::{ConnectOptions, PostgresLog, PostgresViews};
    use std::sync::Arc;

    pub async fn log() -> anyhow::Result<Logs> {
        Ok(Logs { log: Arc::new(PostgresLog::connect(&database().await?, ConnectOptions::default()).await?), _keep: Box::new(()) })
    }

    pub async fn views() -> anyhow::Result<Views> {
        Ok(Views { views: Arc::new(PostgresViews::connect(&database().await?, Family::Live).await?), _keep: Box::new(()) })
    }
}
