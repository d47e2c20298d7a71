//! Opens the log and the views on the database that the configuration names. Whatever the log is
//! kept in, what is personal is sealed on its way there ([`SealedLog`]): that is said here, once.

use anyhow::{Context, bail};
use rollcall_domain::log::{InlineFold, Log, Rewritten};
use rollcall_domain::sql::{Family, SqlStore};
use rollcall_eventstore::{ConnectOptions as KurrentOptions, KurrentLog};
use rollcall_postgres::{ConnectOptions, PostgresLog, PostgresViews};
use rollcall_projections::data_keys::DataKeys;
use rollcall_projections::inline::FamilyInline;
use rollcall_sealing::SealedLog;
use rollcall_sqlite::{DataFolder, SqliteLog, SqliteViews};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

pub use rollcall_postgres::{NotServing, ServingRole, prepare_serving};
pub use rollcall_sealing::DeploymentWrap;
pub use rollcall_sqlite::version as sqlite_version;

/// Log and views, and what keeps them ours.
pub struct Stores {
    /// The log, as readers see it.
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
    /// None in a fork.
    sealing: Option<Arc<SealedLog>>,
    _folder: Option<DataFolder>,
}

/// Where log and views are kept.
#[derive(Clone, Debug)]
pub struct Places<'a> {
    /// The data folder; holds what is named nowhere else.
    pub data: &'a Path,
    /// A PostgreSQL database, and how many connections to it are for reading.
    pub database: Option<(&'a str, u32)>,
    /// A KurrentDB server for the log; 16 bytes drawn at random for this process.
    pub kurrent: Option<(&'a str, [u8; 16])>,
    /// What the keys of organizations are wrapped with: the same for all processes.
    pub wrap: &'a DeploymentWrap,
    /// Drawn at random: the epoch that a log gets if it has to be rewritten.
    pub epoch: Uuid,
}

/// Opens the log on a KurrentDB server if one is named, and the views, or both, in a PostgreSQL
/// database if one is named; what is left is in the data folder.
///
/// # Errors
/// Name the flag to change.
pub async fn open(places: Places<'_>) -> anyhow::Result<Stores> {
    let (fresh, data) = (places.epoch, places.data);
    let stores = open_as_it_is(places).await?;
    let Some(sealing) = &stores.sealing else { return Ok(stores) };
    let wrapped = sealing.rewrap().await.context("cannot open what was sealed before")?;
    if wrapped > 0 {
        tracing::info!(wrapped, "keys of organizations are wrapped with the new deployment key");
    }
    if stores.log.is_of_before().await? {
        set_aside(&data.join("ledger"))?;
    }
    let sealed = sealing.seal_what_is_in_the_clear(fresh).await;
    if let Some(done) = sealed.context("cannot seal the log of a version that sealed nothing")? {
        let Rewritten { was, entries, copy } = done;
        tracing::warn!(
            %was, %fresh, entries, copy,
            "what is personal in the log is sealed now, and the log has another epoch; the log as it was, in the clear, is left for you to delete"
        );
    }
    let belong = sealing.check_that_keys_belong().await;
    belong.context("cannot open what is sealed in the log")?;
    Ok(stores)
}

/// Puts the checkpoints of a log that is going to be rewritten aside: they are of its copy.
fn set_aside(checkpoints: &Path) -> anyhow::Result<()> {
    let aside = checkpoints.with_extension("format-2");
    if checkpoints.exists() && !aside.exists() {
        std::fs::rename(checkpoints, &aside)
            .with_context(|| format!("cannot rename {}", checkpoints.display()))?;
    }
    Ok(())
}

async fn open_as_it_is(places: Places<'_>) -> anyhow::Result<Stores> {
    match (places.kurrent, places.database) {
        (None, None) => Stores::in_folder(places.data, places.wrap)
            .context("cannot use the data folder of --data"),
        (None, Some((url, readers))) => Stores::in_postgres(url, readers, places.wrap).await,
        (Some((url, writer)), database) => {
            let database = database.map(|(url, _)| url);
            Stores::in_kurrent(places.data, url, writer, database, places.wrap).await
        }
    }
}

/// What moves with each append where the log and the live views are on one database. On others
/// whoever appended folds.
fn inline(log: &SealedLog) -> Arc<dyn InlineFold> {
    Arc::new(log.opening(Arc::new(FamilyInline::new(Family::Live))))
}

/// The log with its seal; the keys lie in the side store.
fn sealed(log: Arc<dyn Log>, side: &Arc<dyn SqlStore>, wrap: &DeploymentWrap) -> Arc<SealedLog> {
    let keys = Arc::new(DataKeys::new(side.clone()));
    Arc::new(SealedLog::new(log, keys, wrap.clone()))
}

/// The name of the file that says that a folder is still being made.
const UNFINISHED: &str = "unfinished";

/// Says that a folder is made: all of it is there.
///
/// # Errors
/// If the file that says otherwise cannot be removed.
pub fn finished(data: &Path) -> anyhow::Result<()> {
    std::fs::remove_file(data.join(UNFINISHED))
        .with_context(|| format!("cannot finish {}", data.display()))
}

/// The files of the embedded store.
struct Files {
    folder: DataFolder,
    log: Arc<SqliteLog>,
    live: Arc<SqliteViews>,
    audit: Arc<SqliteViews>,
    side: Arc<SqliteViews>,
}

impl Files {
    fn open(data: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            folder: DataFolder::lock(data)?,
            log: Arc::new(SqliteLog::open(data)?),
            live: Arc::new(SqliteViews::open(data, Family::Live)?),
            audit: Arc::new(SqliteViews::open(data, Family::Audit)?),
            side: Arc::new(SqliteViews::aside(data)?),
        })
    }

    fn open_unflushed(data: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            folder: DataFolder::lock(data)?,
            log: Arc::new(SqliteLog::open_unflushed(data)?),
            live: Arc::new(SqliteViews::open_unflushed(data, Family::Live)?),
            audit: Arc::new(SqliteViews::open_unflushed(data, Family::Audit)?),
            side: Arc::new(SqliteViews::aside_unflushed(data)?),
        })
    }

    /// The store with its seal.
    fn sealed(self, wrap: &DeploymentWrap) -> Stores {
        let Self { folder, log: stored, live, audit, side } = self;
        let side: Arc<dyn SqlStore> = side;
        let log = sealed(stored.clone(), &side, wrap);
        stored.fold_inline(&live, inline(&log));
        Stores {
            sealing: Some(log.clone()),
            log,
            live,
            audit,
            side,
            shared: false,
            name: "embedded store",
            _folder: Some(folder),
        }
    }
}

impl Stores {
    /// SQLite in a data folder, which is locked as long as these live.
    pub fn in_folder(data: &Path, wrap: &DeploymentWrap) -> anyhow::Result<Self> {
        if data.join(UNFINISHED).exists() {
            bail!(
                "what was being made in {} was interrupted, and is not whole: delete the folder and make it again",
                data.display()
            );
        }
        Ok(Files::open(data)?.sealed(wrap))
    }

    /// The same without waiting for the disk: fast, and lost with the power. For a folder that is
    /// being made and can be made again.
    /// Nobody is served by it before [`finished`].
    pub fn in_folder_unflushed(data: &Path, wrap: &DeploymentWrap) -> anyhow::Result<Self> {
        std::fs::write(data.join(UNFINISHED), "")
            .with_context(|| format!("cannot write into {}", data.display()))?;
        Ok(Files::open_unflushed(data)?.sealed(wrap))
    }

    /// The same, and nothing is sealed: for a fork, which goes with whoever made it, and whose
    /// appends come in the order in which they are handed in.
    pub fn of_fork(data: &Path) -> anyhow::Result<Self> {
        let Files { folder, log, live, audit, side } = Files::open_unflushed(data)?;
        log.fold_inline(&live, Arc::new(FamilyInline::new(Family::Live)));
        let name = "fork";
        let (sealing, shared, _folder) = (None, false, Some(folder));
        Ok(Self { sealing, log, live, audit, side, shared, name, _folder })
    }

    /// A PostgreSQL database, with so many connections for reading.
    pub async fn in_postgres(
        url: &str,
        readers: u32,
        wrap: &DeploymentWrap,
    ) -> anyhow::Result<Self> {
        let options = ConnectOptions { readers, ..ConnectOptions::default() };
        let refused = "cannot use the PostgreSQL database of --database-url";
        let stored = Arc::new(PostgresLog::connect(url, options).await.context(refused)?);
        let views = |family| PostgresViews::connect_watched(url, family, stored.watch());
        let live = Arc::new(views(Family::Live).await.context(refused)?);
        let audit = Arc::new(views(Family::Audit).await.context(refused)?);
        let side = PostgresViews::aside_watched(url, stored.watch()).await.context(refused)?;
        let side: Arc<dyn SqlStore> = Arc::new(side);
        let log = sealed(stored.clone(), &side, wrap);
        stored.fold_inline(inline(&log));
        Ok(Self {
            sealing: Some(log.clone()),
            log,
            live,
            audit,
            side,
            shared: true,
            name: "PostgreSQL",
            _folder: None,
        })
    }

    /// The log on a KurrentDB server, with its index in the data folder; the views in a PostgreSQL
    /// database, or in the data folder. `writer` is drawn at random for this process.
    pub async fn in_kurrent(
        data: &Path,
        url: &str,
        writer: [u8; 16],
        database: Option<&str>,
        wrap: &DeploymentWrap,
    ) -> anyhow::Result<Self> {
        let folder = DataFolder::lock(data).context("cannot use the data folder of --data")?;
        let options = KurrentOptions::new(Uuid::from_bytes(writer));
        let index = data.join("kurrent");
        let log = KurrentLog::connect(url, &index, options).await;
        let stored = Arc::new(log.context("cannot use the KurrentDB server of --kurrent-url")?);
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
        let log = sealed(stored, &side, wrap);
        if log.is_in_the_clear().await? {
            anyhow::bail!(
                "the log on KurrentDB was written by a version that sealed nothing, and its streams are never rewritten: back it up with that version, and restore the backup into a server that has none"
            );
        }
        Ok(Self {
            sealing: Some(log.clone()),
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
        let stored = Arc::new(SqliteLog::in_memory()?);
        let (live, audit) =
            (Arc::new(SqliteViews::in_memory()?), Arc::new(SqliteViews::in_memory()?));
        let side: Arc<dyn SqlStore> = Arc::new(SqliteViews::in_memory()?);
        let log = sealed(stored.clone(), &side, &DeploymentWrap::for_once()?);
        stored.fold_inline(&live, inline(&log));
        Ok(Self {
            sealing: Some(log.clone()),
            log,
            live,
            audit,
            side,
            shared: false,
            name: "memory",
            _folder: None,
        })
    }
}
