//! Empty stores of every kind.

use crate::inline::{Tally, tables};
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

/// A log with nothing in it that folds a [`Tally`] inline, into views of the same database.
pub struct Inlined {
    pub log: Arc<dyn Log>,
    pub views: Arc<dyn SqlStore>,
    pub tally: Arc<Tally>,
    _keep: Box<dyn Any + Send + Sync>,
}

impl Inlined {
    async fn over(
        log: Arc<dyn Log>,
        views: Arc<dyn SqlStore>,
        tally: Arc<Tally>,
        keep: impl Any + Send + Sync,
    ) -> anyhow::Result<Self> {
        let mut tx = views.begin_exclusive().await?;
        tx.execute_all(tables()).await?;
        tx.commit().await?;
        Ok(Self { log, views, tally, _keep: Box::new(keep) })
    }
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
    use super::{Inlined, Logs, Tally, Views};
    use rollcall_domain::sql::Family;
    use rollcall_sqlite::{SqliteLog, SqliteViews};
    use std::sync::Arc;

    pub async fn log() -> anyhow::Result<Logs> {
        let dir = tempfile::tempdir()?;
        Ok(Logs { log: Arc::new(SqliteLog::open(dir.path())?), _keep: Box::new(dir) })
    }

    pub async fn views() -> anyhow::Result<Views> {
        let dir = tempfile::tempdir()?;
        Ok(Views {
            views: Arc::new(SqliteViews::open(dir.path(), Family::Live)?),
            _keep: Box::new(dir),
        })
    }

    pub async fn inline() -> anyhow::Result<Inlined> {
        let dir = tempfile::tempdir()?;
        let views = SqliteViews::open(dir.path(), Family::Live)?;
        let (log, tally) = (SqliteLog::open(dir.path())?, Arc::new(Tally::default()));
        log.fold_inline(&views, tally.clone());
        Inlined::over(Arc::new(log), Arc::new(views), tally, dir).await
    }
}

pub mod sqlite_memory {
    use super::{Inlined, Logs, Tally, Views};
    use rollcall_sqlite::{SqliteLog, SqliteViews};
    use std::sync::Arc;

    pub async fn log() -> anyhow::Result<Logs> {
        Ok(Logs { log: Arc::new(SqliteLog::in_memory()?), _keep: Box::new(()) })
    }

    pub async fn views() -> anyhow::Result<Views> {
        Ok(Views { views: Arc::new(SqliteViews::in_memory()?), _keep: Box::new(()) })
    }

    pub async fn inline() -> anyhow::Result<Inlined> {
        let (log, views) = (SqliteLog::in_memory()?, SqliteViews::in_memory()?);
        let tally = Arc::new(Tally::default());
        log.fold_inline(&views, tally.clone());
        Inlined::over(Arc::new(log), Arc::new(views), tally, ()).await
    }
}

pub mod postgres {
    use super::{Inlined, Logs, Tally, Views, database};
    use rollcall_domain::sql::Family;
    use rollcall_postgres::{ConnectOptions, PostgresLog, PostgresViews};
    use std::sync::Arc;

    pub async fn log() -> anyhow::Result<Logs> {
        Ok(Logs {
            log: Arc::new(
                PostgresLog::connect(&database().await?, ConnectOptions::default()).await?,
            ),
            _keep: Box::new(()),
        })
    }

    pub async fn views() -> anyhow::Result<Views> {
        Ok(Views {
            views: Arc::new(PostgresViews::connect(&database().await?, Family::Live).await?),
            _keep: Box::new(()),
        })
    }

    pub async fn inline() -> anyhow::Result<Inlined> {
        let url = database().await?;
        let views = PostgresViews::connect(&url, Family::Live).await?;
        let log = PostgresLog::connect(&url, ConnectOptions::default()).await?;
        let tally = Arc::new(Tally::default());
        log.fold_inline(tally.clone());
        Inlined::over(Arc::new(log), Arc::new(views), tally, ()).await
    }
}

/// What seals, before a log in memory.
pub mod sealed {
    use super::Logs;
    use rollcall_sealing::{DeploymentWrap, MemoryKeys, SealedLog};
    use rollcall_sqlite::SqliteLog;
    use std::sync::Arc;

    pub async fn log() -> anyhow::Result<Logs> {
        let (inner, keys) = (Arc::new(SqliteLog::in_memory()?), Arc::new(MemoryKeys::default()));
        let log = SealedLog::new(inner, keys, DeploymentWrap::for_once()?);
        Ok(Logs { log: Arc::new(log), _keep: Box::new(()) })
    }
}

pub mod kurrent {
    use super::Logs;
    use rollcall_eventstore::{ConnectOptions, KurrentLog};
    use rollcall_kurrent_standin::{Faults, Settings, serve};
    use std::net::SocketAddr;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;
    use tempfile::TempDir;
    use tokio::net::TcpListener;
    use tokio::runtime::Runtime;
    use uuid::Uuid;

    /// A stand-in for a server, in a runtime of its own that can be ended in the middle of
    /// anything.
    pub struct Server {
        pub url: String,
        pub faults: Faults,
        pub folder: TempDir,
        pub address: SocketAddr,
        running: Option<Runtime>,
    }

    impl Server {
        /// With an empty file, running.
        pub async fn start() -> anyhow::Result<Self> {
            let free = free_port().await?;
            // The client sleeps for the interval before it connects at all: half a second by
            // default.
            let (url, folder) =
                (format!("esdb://{free}?tls=false&discoveryInterval=10"), tempfile::tempdir()?);
            let mut server =
                Self { url, faults: Faults::default(), folder, address: free, running: None };
            server.run().await?;
            Ok(server)
        }

        /// The file with its events.
        pub fn file(&self) -> PathBuf {
            self.folder.path().join("events")
        }

        /// A folder for an index.
        pub fn index(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// A log with its index in a folder of this name.
        pub async fn log(&self, index: &str) -> anyhow::Result<KurrentLog> {
            connect(&self.url, &self.index(index)).await
        }

        /// Ends it as `kill -9` does: nobody is told, the file stays as it is.
        pub fn kill(&mut self) {
            self.running.take().into_iter().for_each(Runtime::shutdown_background);
        }

        /// Starts it again where it was.
        pub async fn run(&mut self) -> anyhow::Result<()> {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()?;
            let settings = Settings { is_quick: true, ..Settings::new(self.file()) };
            let (address, faults) = (self.address, self.faults.clone());
            let (told, listens) = tokio::sync::oneshot::channel();
            runtime.spawn(async move {
                // The one before may not be quite gone.
                let listener = loop {
                    match TcpListener::bind(address).await {
                        Ok(listener) => break listener,
                        Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                    }
                };
                let _ = told.send(());
                serve(listener, settings, faults).await
            });
            self.running = Some(runtime);
            Ok(tokio::time::timeout(Duration::from_secs(10), listens).await??)
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            self.kill();
        }
    }

    /// A port below those that the system gives to outgoing connections: else one of them, perhaps
    /// the very client's that looks for a server that is away, sits on it when the server comes
    /// back.
    async fn free_port() -> anyhow::Result<SocketAddr> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let first = u64::from(std::process::id()) * 64;
        loop {
            let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
            let address = SocketAddr::from(([127, 0, 0, 1], u16::try_from(port)?));
            if TcpListener::bind(address).await.is_ok() {
                return Ok(address);
            }
        }
    }

    /// Another writer than all before, and not patient.
    pub fn options() -> ConnectOptions {
        static WRITERS: AtomicU64 = AtomicU64::new(1);
        let writer = Uuid::from_u64_pair(WRITERS.fetch_add(1, Ordering::Relaxed), 0);
        ConnectOptions {
            patience: Duration::from_secs(4),
            append_deadline: Duration::from_secs(1),
            ..ConnectOptions::new(writer)
        }
    }

    /// A log whose index is in a folder.
    pub async fn connect(url: &str, index: &Path) -> anyhow::Result<KurrentLog> {
        Ok(KurrentLog::connect(url, index, options()).await?)
    }

    /// On the server that `ROLLCALL_TEST_KURRENT_URL` names, under a name of its own; on a stand-in
    /// if none is named.
    pub async fn log() -> anyhow::Result<Logs> {
        if let Ok(url) = std::env::var("ROLLCALL_TEST_KURRENT_URL") {
            let index = tempfile::tempdir()?;
            let unique =
                index.path().file_name().unwrap_or_default().to_string_lossy().replace('.', "");
            let options = ConnectOptions::new(Uuid::new_v5(&Uuid::nil(), unique.as_bytes()));
            let options = ConnectOptions { prefix: format!("rollcall-check-{unique}"), ..options };
            let log = Arc::new(KurrentLog::connect(&url, index.path(), options).await?);
            return Ok(Logs { log, _keep: Box::new(index) });
        }
        let server = Server::start().await?;
        let log = Arc::new(server.log("index").await?);
        Ok(Logs { log, _keep: Box::new(server) })
    }
}
