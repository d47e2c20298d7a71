//! The log in PostgreSQL.

mod codec;
mod commit;
mod facets;
mod identity;
mod inline;
mod ledger;
mod mend;
mod opening;
mod read;
mod restore;
mod rewrite;
mod session;
pub(crate) mod streams;
mod upgrade;
mod writer;

use crate::error::OpenError;
use crate::options::{self, ConnectOptions};
use crate::schema::{self, Part};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use codec::log_error;
use facets::Find;
use read::Reader;
use rollcall_domain::claim::Claim;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::*;
use session::Session;
use sqlx::postgres::{PgConnectOptions, PgPool};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use writer::Writer;

/// The format this program writes. The one before has the same tables, and is rewritten when whoever
/// opens it asks for that ([`Log::rewrite`]).
const FORMAT: i32 = 3;

const PART: Part = Part {
    name: "log",
    schema: "rollcall",
    supported: FORMAT,
    oldest: rewrite::BEFORE,
    ddl: concat!(include_str!("schema.sql"), include_str!("entries.sql")),
    upgrade: Some(upgrade::upgrade),
};

/// The log in the schema `rollcall`. Several processes may have one open on the same database.
///
/// [`Log::load`] reads through postgres-es (`streams.rs`), as does cqrs-es through
/// [`Self::repository`].
#[derive(Clone)]
pub struct PostgresLog(Arc<Inner>);

struct Inner {
    database: PgConnectOptions,
    connect_timeout: Duration,
    reader: Reader,
    writer: Writer,
    watch: Arc<Watch>,
}

impl PostgresLog {
    /// Opens the log in a database; makes its tables if they are not there.
    pub async fn connect(url: &str, options: ConnectOptions) -> Result<Self, OpenError> {
        let database = options::parse(url)?;
        let connect_timeout = options.connect_timeout;
        schema::prepare(&database, &PART, connect_timeout).await?;
        facets::prepare(&database, connect_timeout).await?;
        identity::prepare(&database, connect_timeout).await?;
        let watch: Arc<Watch> = Arc::default();
        let pool = options::pool(&database, options.readers.max(1), connect_timeout, &watch);
        let reader = Reader::new(pool, options.statement_timeout, watch.clone());
        let writer = Writer::start(database.clone(), options, watch.clone());
        let writer = writer.map_err(OpenError::Writer)?;
        Ok(Self(Arc::new(Inner { database, connect_timeout, reader, writer, watch })))
    }

    /// Folds the live views of this database with each append from now on, where they stand right
    /// before it. What is given first is kept.
    pub fn fold_inline(&self, fold: Arc<dyn InlineFold>) {
        if self.0.writer.inline.set(fold).is_err() {
            tracing::warn!("the log folds views already");
        }
    }

    /// The connections it reads by.
    pub(crate) fn pool(&self) -> PgPool {
        self.0.reader.pool.clone()
    }
}

#[async_trait]
impl Log for PostgresLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if !append.is_of_one_organization() {
            return Err(AppendError::Unavailable("the append names two organizations".into()));
        }
        self.0.writer.append(append).await
    }

    async fn load(&self, stream: &StreamId, after: Version) -> Result<Vec<Record>, LogError> {
        self.0.reader.load(stream, after).await
    }

    async fn records(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Record>, LogError> {
        self.0.reader.records(organization, after, limit).await
    }

    async fn exchanges(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
        bodies: Bodies,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        self.0.reader.exchanges(organization, after, limit, bodies).await
    }

    async fn exchanges_with(
        &self,
        organization: OrganizationId,
        facet: Facet<'_>,
        start: Start,
        limit: usize,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        self.0.reader.find(&Find::new(organization, facet.key(), start, limit)).await
    }

    async fn exchange(
        &self,
        organization: OrganizationId,
        id: ExchangeId,
    ) -> Result<Option<RecordedExchange>, LogError> {
        self.0.reader.exchange(organization, id).await
    }

    async fn head(&self, organization: OrganizationId) -> Result<Head, LogError> {
        self.0.reader.head(organization).await
    }

    async fn heads(&self) -> Result<Vec<(OrganizationId, Head)>, LogError> {
        self.0.reader.heads().await
    }

    async fn snapshot(&self, stream: &StreamId) -> Result<Option<AggregateSnapshot>, LogError> {
        self.0.reader.snapshot(*stream).await
    }

    async fn save_snapshot(&self, snapshot: AggregateSnapshot) -> Result<(), LogError> {
        self.0.reader.save_snapshot(&snapshot).await
    }

    async fn holder(&self, claim: &Claim) -> Result<Option<StreamId>, LogError> {
        self.0.reader.holder(claim).await
    }

    async fn claims(
        &self,
        scope: OrganizationId,
        after: Option<Claim>,
        limit: usize,
    ) -> Result<Vec<(Claim, StreamId)>, LogError> {
        self.0.reader.claims(scope, after, limit).await
    }

    async fn claim_key(
        &self,
        scope: OrganizationId,
        fresh: [u8; 32],
    ) -> Result<[u8; 32], LogError> {
        self.0.reader.claim_key(scope, fresh).await
    }

    async fn claim_keys(&self) -> Result<Vec<(OrganizationId, [u8; 32])>, LogError> {
        self.0.reader.claim_keys().await
    }

    async fn drop_bodies(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        through: ExchangeNumber,
    ) -> Result<u64, LogError> {
        self.0.reader.drop_bodies(organization, after, through).await
    }

    async fn erase_exchanges(
        &self,
        organization: OrganizationId,
        numbers: &[ExchangeNumber],
    ) -> Result<Option<u64>, LogError> {
        self.0.reader.erase_exchanges(organization, numbers).await.map(Some)
    }

    async fn epoch(&self) -> Result<Uuid, LogError> {
        self.0.reader.epoch().await
    }

    async fn ledger_head(&self, organization: OrganizationId) -> Result<LedgerHead, LogError> {
        self.0.reader.ledger_head(organization).await
    }

    async fn counted(&self, organization: OrganizationId) -> Result<Head, LogError> {
        self.0.reader.counted(organization).await
    }

    async fn record_leaves(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<(Position, Option<LeafHash>)>, LogError> {
        self.0.reader.record_leaves(organization, after, limit).await
    }

    async fn exchange_leaves(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
    ) -> Result<Vec<ExchangeLeaf>, LogError> {
        self.0.reader.exchange_leaves(organization, after, limit).await
    }

    async fn mend(&self, records: Vec<Record>) -> Result<bool, LogError> {
        mend::mend(&self.0.reader.pool, &records).await?;
        Ok(true)
    }

    async fn restore(&self, parts: Vec<Restored>) -> Result<(), LogError> {
        // A connection of its own: dropping it rolls back whatever a failure left.
        let (database, timeout) = (&self.0.database, self.0.connect_timeout);
        let session = Session::connect(database, timeout, &self.0.watch).await;
        let mut session = session.map_err(log_error)?;
        restore::restore(&mut session, parts).await?;
        session.close().await;
        Ok(())
    }

    fn watch(&self) -> Arc<Watch> {
        self.0.watch.clone()
    }

    async fn compare(&self, watch: &Watch) -> Result<(), LogError> {
        self.0.reader.compare(watch).await
    }

    async fn note(&self, name: &str) -> Result<Option<String>, LogError> {
        self.0.reader.note(name).await
    }

    async fn keep_note(&self, name: &str, text: Option<&str>) -> Result<bool, LogError> {
        self.0.reader.keep_note(name, text).await.map(|()| true)
    }

    async fn clear(&self, fresh: Uuid) -> Result<bool, LogError> {
        self.0.reader.clear(fresh).await
    }

    async fn renew(&self, was: Uuid, fresh: Uuid) -> Result<bool, LogError> {
        self.0.reader.renew(was, fresh).await
    }

    async fn is_of_before(&self) -> Result<bool, LogError> {
        self.0.reader.is_of_before().await
    }

    async fn rewrite(
        &self,
        fresh: Uuid,
        by: Arc<dyn Rewrite>,
    ) -> Result<Option<Rewritten>, LogError> {
        rewrite::rewrite(&self.0.database, self.0.connect_timeout, fresh, &*by).await
    }

    async fn time(&self) -> Result<Option<DateTime<Utc>>, LogError> {
        self.0.reader.time().await.map(Some)
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.0.reader.ping().await
    }
}
