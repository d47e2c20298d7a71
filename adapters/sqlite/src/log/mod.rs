//! The log in SQLite.

mod codec;
mod facets;
mod home;
mod identity;
mod inline;
mod ledger;
mod mend;
mod read;
mod rewrite;
mod upgrade;
mod write;
mod writer;

use crate::connection::{self, Durability};
use crate::error::OpenError;
use crate::folder::{self, Held};
use crate::pool::Pool;
use crate::views::SqliteViews;
use async_trait::async_trait;
use codec::log_error;
use home::Home;
use identity::Identity;
use inline::InlineViews;
use rollcall_domain::claim::Claim;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::*;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;
use writer::Writer;

/// The format this program writes and reads. The one before has the same tables, and is rewritten
/// when whoever opens it asks for that ([`Log::rewrite`]).
const FORMAT: i64 = 3;
const SCHEMA: &str = concat!(include_str!("ledger.sql"), include_str!("schema.sql"));
const READERS: usize = 2;
/// Page caches, in KiB.
const WRITER_CACHE: u32 = 16 * 1024;
const READER_CACHE: u32 = 4 * 1024;

/// The log in `log.db`: one writer thread with group commit, a few readers beside it.
pub struct SqliteLog {
    // The fields are dropped in this order: the last connection to close is the one that may
    // write, so that it can tidy up, and the folder is let go after that.
    readers: Option<Pool>,
    writer: Writer,
    identity: Identity,
    _folder: Option<Arc<Held>>,
}

impl SqliteLog {
    /// Opens the log of a data folder; makes both if they are not there.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        Self::at(dir, Durability::Full).map_err(OpenError::of_log)
    }

    /// The same without flushing anything: for a folder that is being made and can be made again.
    pub fn open_unflushed(dir: &Path) -> Result<Self, OpenError> {
        Self::at(dir, Durability::Off)
    }

    fn at(dir: &Path, durability: Durability) -> Result<Self, OpenError> {
        let folder = folder::share(dir)?;
        let path = dir.join("log.db");
        let mut writer = connection::writer(&path, durability, WRITER_CACHE)?;
        // What is dropped leaves the free pages, too.
        writer.execute_batch("PRAGMA secure_delete = ON")?;
        if upgrade::is_of_before(&writer)? {
            upgrade::upgrade(&mut writer, &path)?;
        }
        connection::migrate(&mut writer, SCHEMA, FORMAT)?;
        facets::prepare(&mut writer)?;
        // Whoever was killed right after sealing, dropping or erasing something left it in the file
        // as it was: what takes its place is in the write-ahead log.
        write::empty_the_log_ahead(&writer);
        let identity = Identity::of(&writer, Some(Home::of(&path).map_err(OpenError::io(&path))?))?;
        let readers: Vec<Connection> = (0..READERS)
            .map(|_| connection::reader(&path, READER_CACHE))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            readers: Some(Pool::start("log-reader", readers).map_err(OpenError::io(dir))?),
            writer: Writer::start(writer, identity.clone()).map_err(OpenError::io(dir))?,
            identity,
            _folder: Some(folder),
        })
    }

    /// A log that is gone when it is dropped.
    pub fn in_memory() -> Result<Self, OpenError> {
        let mut writer = connection::memory()?;
        connection::migrate(&mut writer, SCHEMA, FORMAT)?;
        facets::prepare(&mut writer)?;
        let identity = Identity::of(&writer, None)?;
        Ok(Self {
            readers: None,
            writer: Writer::start(writer, identity.clone()).map_err(OpenError::io(":memory:"))?,
            identity,
            _folder: None,
        })
    }

    /// Folds these views with each append from now on, where they stand right before it. They must
    /// be of this log, and no other log's. The first that are given are kept.
    pub fn fold_inline(&self, views: &SqliteViews, fold: Arc<dyn InlineFold>) {
        let views = InlineViews { views: views.clone(), fold };
        if self.writer.inline.set(views).is_err() {
            tracing::warn!("the log folds views already");
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LogError> {
        match &self.readers {
            Some(readers) => {
                match readers.run(move |connection| job(connection).map_err(log_error)).await {
                    Ok(answer) => answer,
                    Err(_) => Err(LogError::Unavailable("the reader stopped".into())),
                }
            }
            None => self.writer.run(move |connection| job(connection).map_err(log_error)).await,
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LogError> {
        self.writer.run(move |connection| job(connection).map_err(log_error)).await
    }
}

#[async_trait]
impl Log for SqliteLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if !append.is_of_one_organization() {
            return Err(AppendError::Unavailable("the append names two organizations".into()));
        }
        self.writer.append(append).await
    }

    async fn load(&self, stream: &StreamId, after: Version) -> Result<Vec<Record>, LogError> {
        let stream = *stream;
        self.read(move |db| read::load(db, &stream, after)).await
    }

    async fn records(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Record>, LogError> {
        self.read(move |db| read::records(db, organization, after, limit)).await
    }

    async fn exchanges(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
        bodies: Bodies,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        self.read(move |db| read::exchanges(db, organization, after, limit, bodies)).await
    }

    async fn exchanges_with(
        &self,
        organization: OrganizationId,
        facet: Facet<'_>,
        start: Start,
        limit: usize,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        let key = facet.key();
        self.read(move |db| facets::find(db, organization, key, start, limit)).await
    }

    async fn exchange(
        &self,
        organization: OrganizationId,
        id: ExchangeId,
    ) -> Result<Option<RecordedExchange>, LogError> {
        self.read(move |db| read::exchange(db, organization, id)).await
    }

    async fn head(&self, organization: OrganizationId) -> Result<Head, LogError> {
        self.read(move |db| read::head(db, organization)).await
    }

    async fn heads(&self) -> Result<Vec<(OrganizationId, Head)>, LogError> {
        self.read(read::heads).await
    }

    async fn snapshot(&self, stream: &StreamId) -> Result<Option<AggregateSnapshot>, LogError> {
        let stream = *stream;
        self.read(move |db| read::snapshot(db, stream)).await
    }

    async fn save_snapshot(&self, snapshot: AggregateSnapshot) -> Result<(), LogError> {
        self.write(move |db| write::save_snapshot(db, &snapshot)).await
    }

    async fn holder(&self, claim: &Claim) -> Result<Option<StreamId>, LogError> {
        let claim = *claim;
        self.read(move |db| read::holder(db, &claim)).await
    }

    async fn claims(
        &self,
        scope: OrganizationId,
        after: Option<Claim>,
        limit: usize,
    ) -> Result<Vec<(Claim, StreamId)>, LogError> {
        self.read(move |db| read::claims(db, scope, after, limit)).await
    }

    async fn claim_key(
        &self,
        scope: OrganizationId,
        fresh: [u8; 32],
    ) -> Result<[u8; 32], LogError> {
        self.write(move |db| write::claim_key(db, scope, fresh)).await
    }

    async fn claim_keys(&self) -> Result<Vec<(OrganizationId, [u8; 32])>, LogError> {
        self.read(read::claim_keys).await
    }

    async fn drop_bodies(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        through: ExchangeNumber,
    ) -> Result<u64, LogError> {
        self.write(move |db| write::drop_bodies(db, organization, after, through)).await
    }

    async fn erase_exchanges(
        &self,
        organization: OrganizationId,
        numbers: &[ExchangeNumber],
    ) -> Result<Option<u64>, LogError> {
        let numbers = numbers.to_vec();
        self.write(move |db| write::erase_exchanges(db, organization, &numbers)).await.map(Some)
    }

    async fn epoch(&self) -> Result<Uuid, LogError> {
        self.read(ledger::epoch).await
    }

    async fn ledger_head(&self, organization: OrganizationId) -> Result<LedgerHead, LogError> {
        self.read(move |db| {
            // One moment: a head that has to be grown moves on meanwhile.
            let db = db.unchecked_transaction()?;
            ledger::head(&db, organization)
        })
        .await
    }

    async fn counted(&self, organization: OrganizationId) -> Result<Head, LogError> {
        self.read(move |db| ledger::counted(db, organization)).await
    }

    async fn record_leaves(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<(Position, Option<LeafHash>)>, LogError> {
        self.read(move |db| ledger::record_leaves(db, organization, after, limit)).await
    }

    async fn exchange_leaves(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
    ) -> Result<Vec<ExchangeLeaf>, LogError> {
        self.read(move |db| ledger::exchange_leaves(db, organization, after, limit)).await
    }

    async fn mend(&self, records: Vec<Record>) -> Result<bool, LogError> {
        self.write(move |db| mend::mend(db, &records)).await?;
        Ok(true)
    }

    async fn restore(&self, parts: Vec<Restored>) -> Result<(), LogError> {
        self.writer.run(move |db| write::restore(db, &parts)).await
    }

    fn watch(&self) -> Arc<Watch> {
        self.identity.watch.clone()
    }

    async fn compare(&self, watch: &Watch) -> Result<(), LogError> {
        // What is known is asked for on the reader's thread, before the log is.
        let (identity, own) = (self.identity.clone(), self.identity.watch.clone());
        debug_assert!(std::ptr::eq(watch, &*own), "a log is held against what is known of it");
        match &self.readers {
            Some(readers) => readers
                .run(move |db| identity.compare(db, &own))
                .await
                .unwrap_or_else(|_| Err(LogError::Unavailable("the reader stopped".into()))),
            None => self.writer.run(move |db| identity.compare(db, &own)).await,
        }
    }

    async fn note(&self, name: &str) -> Result<Option<String>, LogError> {
        let name = name.to_owned();
        self.read(move |db| identity::note(db, &name)).await
    }

    async fn keep_note(&self, name: &str, text: Option<&str>) -> Result<bool, LogError> {
        let (name, text) = (name.to_owned(), text.map(str::to_owned));
        self.write(move |db| identity::keep_note(db, &name, text.as_deref())).await?;
        Ok(true)
    }

    async fn clear(&self, fresh: Uuid) -> Result<bool, LogError> {
        let identity = self.identity.clone();
        self.write(move |db| identity.clear(db, fresh)).await
    }

    async fn renew(&self, was: Uuid, fresh: Uuid) -> Result<bool, LogError> {
        let identity = self.identity.clone();
        self.write(move |db| identity.renew(db, was, fresh)).await
    }

    async fn is_of_before(&self) -> Result<bool, LogError> {
        self.write(|db| rewrite::is_of_before(db)).await
    }

    async fn rewrite(
        &self,
        fresh: Uuid,
        by: Arc<dyn Rewrite>,
    ) -> Result<Option<Rewritten>, LogError> {
        let runtime = tokio::runtime::Handle::current();
        let rewrite = move |db: &mut Connection| rewrite::rewrite(db, fresh, &*by, &runtime);
        self.writer.run(rewrite).await
    }

    async fn ping(&self) -> Result<(), LogError> {
        let (identity, failing) = (self.identity.clone(), self.writer.is_failing());
        let wrote = move |db: &mut Connection| {
            // Only a commit tells whether there is room on the disk again. While nobody appends,
            // nothing but this would find out.
            let probed =
                if failing { db.pragma_update(None, "user_version", FORMAT) } else { Ok(()) };
            // Taking the write lock shows that the file can be written, without writing to it.
            let locked = |()| {
                db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?.rollback()
            };
            let probed = probed.and_then(locked);
            identity.watch.came_to(probed.as_ref().err().map(codec::trouble));
            probed
        };
        self.write(wrote).await?;
        self.writer.recovered();
        self.read(|db| db.query_row("SELECT 1", [], |_| Ok(()))).await
    }
}
