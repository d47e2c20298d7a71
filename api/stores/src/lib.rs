//! Opens the log and the views on the database that the configuration names.

use anyhow::Context;
use rollcall_domain::log::{InlineFold, Log};
use rollcall_domain::sql::{Family, SqlStore};
use rollcall_eventstore::{ConnectOptions as KurrentOptions, KurrentLog};
use rollcall_postgres::{ConnectOptions, PostgresLog, PostgresViews};
use rollcall_projections::inline::FamilyInline;
use rollcall_sqlite::{DataFolder, SqliteLog, SqliteViews};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

pub use rollcall_sqlite::version as sqlite_version;

/// Log and views, and what keeps them ours.
pub struct Stores {
    /// The log.
    pub log: Arc<dyn Log>,
    /// The views that answer SCIM.
    pub live: Arc<dyn SqlStore>,
    /// The views that answer auditors.
    pub audit: Arc<dyn SqlStore>,
    /// What is durable beside both.
    pub side: Arc<dyn SqlStore>,
    /// True if other processes may write them too.
    pub shared: bool,
    /// What they are, for people.
    pub name: &'static str,
    _folder: Option<DataFolder>,
}

/// Where log and views are kept.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The data folder; holds what is named nowhere else.
    pub data: &'a Path,
    /// A PostgreSQL database, and how many connections to it are for reading.
    pub database: Option<(&'a str, u32)>,
    /// A KurrentDB server for the log; 16 bytes drawn at random for this process.
    pub kurrent: Option<(&'a str, [u8; 16])>,
}

/// Opens the log on a KurrentDB server if one is named, and the views, or both, in a PostgreSQL
/// database if one is named; what is left is in the data folder.
///
/// # Errors
/// Name the flag to change.
pub async fn open(places: Places<'_>) -> anyhow::Result<Stores> {
    match (places.kurrent, places.database) {
        (None, None) => {
            Stores::in_folder(places.data).context("cannot use the data folder of --data")
        }
        (None, Some((url, readers))) => Stores::in_postgres(url, readers).await,
        (Some((url, writer)), database) => {
            Stores::in_kurrent(places.data, url, writer, database.map(|(url, _)| url)).await
        }
    }
}

/// What moves with each append where the log and the live views are on one database. On others
/// whoever appended folds.
fn inline() -> Arc<dyn InlineFold> {
    Arc::new(FamilyInline::new(Family::Live))
}

impl Stores {
    /// SQLite in a data folder, which is locked as long as these live.
    pub fn in_folder(data: &Path) -> anyhow::Result<Self> {
        let folder = DataFolder::lock(data)?;
        let log = Arc::new(SqliteLog::open(data)?);
        let live = Arc::new(SqliteViews::open(data, Family::Live)?);
        log.fold_inline(&live, inline());
        let audit = Arc::new(SqliteViews::open(data, Family::Audit)?);
        let side = Arc::new(SqliteViews::aside(data)?);
        let name = "embedded store";
        Ok(Self { log, live, audit, side, shared: false, name, _folder: Some(folder) })
    }

    /// The same without waiting for the disk: fast, and lost with the power. For a folder that is
    /// being made and can be made again.
    pub fn in_folder_unflushed(data: &Path) -> anyhow::Result<Self> {
        let folder = DataFolder::lock(data)?;
        let log = Arc::new(SqliteLog::open_unflushed(data)?);
        let live = Arc::new(SqliteViews::open_unflushed(data, Family::Live)?);
        log.fold_inline(&live, inline());
        let audit = Arc::new(SqliteViews::open_unflushed(data, Family::Audit)?);
        let side = Arc::new(SqliteViews::aside_unflushed(data)?);
        let name = "embedded store";
        Ok(Self { log, live, audit, side, shared: false, name, _folder: Some(folder) })
    }

    /// A PostgreSQL database, with so many connections for reading.
    pub async fn in_postgres(url: &str, readers: u32) -> anyhow::Result<Self> {
        let options = ConnectOptions { readers, ..ConnectOptions::default() };
        let refused = "cannot use the PostgreSQL database of --database-url";
        let log = Arc::new(PostgresLog::connect(url, options).await.context(refused)?);
        let views = |family| PostgresViews::connect_watched(url, family, log.watch());
        let live = Arc::new(views(Family::Live).await.context(refused)?);
        log.fold_inline(inline());
        let audit = Arc::new(views(Family::Audit).await.context(refused)?);
        let side = PostgresViews::aside_watched(url, log.watch()).await.context(refused)?;
        let side = Arc::new(side);
        Ok(Self { log, live, audit, side, shared: true, name: "PostgreSQL", _folder: None })
    }

    /// The log on a KurrentDB server, with its index in the data folder; the views in a PostgreSQL
    /// database, or in the data folder. `writer` is drawn at random for this process.
    pub async fn in_kurrent(
        data: &Path,
        url: &str,
        writer: [u8; 16],
        database: Option<&str>,
    ) -> anyhow::Result<Self> {
        let folder = DataFolder::lock(data).context("cannot use the data folder of --data")?;
        let options = KurrentOptions::new(Uuid::from_bytes(writer));
        let index = data.join("kurrent");
        let log = KurrentLog::connect(url, &index, options).await;
        let log = Arc::new(log.context("cannot use the KurrentDB server of --kurrent-url")?);
        let (live, audit): (Arc<dyn SqlStore>, Arc<dyn SqlStore>) = match database {
            None => (
                Arc::new(SqliteViews::open(data, Family::Live)?),
                Arc::new(SqliteViews::open(data, Family::Audit)?),
            ),
            Some(url) => {
                let refused = "cannot use the PostgreSQL database of --database-url";
                let live = PostgresViews::connect(url, Family::Live).await.context(refused)?;
                (
                    Arc::new(live),
                    Arc::new(PostgresViews::connect(url, Family::Audit).await.context(refused)?),
                )
            }
        };
        let side: Arc<dyn SqlStore> = match database {
            None => Arc::new(SqliteViews::aside(data)?),
            Some(url) => {
                let refused = "cannot use the PostgreSQL database of --database-url";
                Arc::new(PostgresViews::aside(url).await.context(refused)?)
            }
        };
        Ok(Self {
            log,
            live,
            audit,
            side,
            shared: true,
            name: "KurrentDB (not yet tested against a server)",
            _folder: Some(folder),
        })
    }

    /// Stores that are gone when they are dropped.
    pub fn in_memory() -> anyhow::Result<Self> {
        let log = Arc::new(SqliteLog::in_memory()?);
        let (live, audit) =
            (Arc::new(SqliteViews::in_memory()?), Arc::new(SqliteViews::in_memory()?));
        let side = Arc::new(SqliteViews::in_memory()?);
        log.fold_inline(&live, inline());
        Ok(Self { log, live, audit, side, shared: false, name: "memory", _folder: None })
    }
}
