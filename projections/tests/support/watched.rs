//! Ports with a thumb on the scale: they count, damage and fail on command.

use async_trait::async_trait;
use rollcall_domain::claim::Claim;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::*;
use rollcall_domain::sql::{OpenTransaction, SqlError, SqlRow, SqlStore, SqlTransaction, SqlValue};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// A log that counts reads of pages and can show one record as unknown.
pub struct WatchedLog {
    pub inner: Arc<dyn Log>,
    pub reads: AtomicU64,
    /// This position's event has an unknown type; 0 for none.
    pub unknown: AtomicU64,
}

impl WatchedLog {
    pub fn new(inner: Arc<dyn Log>) -> Arc<Self> {
        Arc::new(Self { inner, reads: AtomicU64::new(0), unknown: AtomicU64::new(0) })
    }
}

#[async_trait]
impl Log for WatchedLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.inner.append(append).await
    }
    async fn load(&self, stream: &StreamId, after: Version) -> Result<Vec<Record>, LogError> {
        self.inner.load(stream, after).await
    }
    async fn records(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Record>, LogError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let mut records = self.inner.records(organization, after, limit).await?;
        let unknown = self.unknown.load(Ordering::SeqCst);
        records
            .iter_mut()
            .filter(|r| r.position == unknown)
            .for_each(|r| r.event_type = "UserPainted".into());
        Ok(records)
    }
    async fn exchanges(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
        bodies: Bodies,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.exchanges(organization, after, limit, bodies).await
    }
    async fn exchanges_with(
        &self,
        organization: OrganizationId,
        facet: Facet<'_>,
        start: Start,
        limit: usize,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.exchanges_with(organization, facet, start, limit).await
    }
    async fn exchange(
        &self,
        organization: OrganizationId,
        id: ExchangeId,
    ) -> Result<Option<RecordedExchange>, LogError> {
        self.inner.exchange(organization, id).await
    }
    async fn head(&self, organization: OrganizationId) -> Result<Head, LogError> {
        self.inner.head(organization).await
    }
    async fn heads(&self) -> Result<Vec<(OrganizationId, Head)>, LogError> {
        self.inner.heads().await
    }
    async fn snapshot(&self, stream: &StreamId) -> Result<Option<AggregateSnapshot>, LogError> {
        self.inner.snapshot(stream).await
    }
    async fn save_snapshot(&self, snapshot: AggregateSnapshot) -> Result<(), LogError> {
        self.inner.save_snapshot(snapshot).await
    }
    async fn holder(&self, claim: &Claim) -> Result<Option<StreamId>, LogError> {
        self.inner.holder(claim).await
    }
    async fn claims(
        &self,
        scope: OrganizationId,
        after: Option<Claim>,
        limit: usize,
    ) -> Result<Vec<(Claim, StreamId)>, LogError> {
        self.inner.claims(scope, after, limit).await
    }
    async fn claim_key(
        &self,
        scope: OrganizationId,
        fresh: [u8; 32],
    ) -> Result<[u8; 32], LogError> {
        self.inner.claim_key(scope, fresh).await
    }
    async fn claim_keys(&self) -> Result<Vec<(OrganizationId, [u8; 32])>, LogError> {
        self.inner.claim_keys().await
    }
    async fn drop_bodies(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        through: ExchangeNumber,
    ) -> Result<u64, LogError> {
        self.inner.drop_bodies(organization, after, through).await
    }

    async fn epoch(&self) -> Result<Uuid, LogError> {
        self.inner.epoch().await
    }

    async fn ledger_head(&self, organization: OrganizationId) -> Result<LedgerHead, LogError> {
        self.inner.ledger_head(organization).await
    }

    async fn counted(&self, organization: OrganizationId) -> Result<Head, LogError> {
        self.inner.counted(organization).await
    }

    async fn record_leaves(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<(Position, Option<LeafHash>)>, LogError> {
        self.inner.record_leaves(organization, after, limit).await
    }

    async fn exchange_leaves(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
    ) -> Result<Vec<ExchangeLeaf>, LogError> {
        self.inner.exchange_leaves(organization, after, limit).await
    }

    async fn restore(&self, parts: Vec<Restored>) -> Result<(), LogError> {
        self.inner.restore(parts).await
    }
    async fn ping(&self) -> Result<(), LogError> {
        self.inner.ping().await
    }
}

/// Views that remember their reads and can fail.
pub struct WatchedViews {
    pub inner: Arc<dyn SqlStore>,
    pub queries: Mutex<Vec<String>>,
    pub begun: AtomicU64,
    /// Commits fail, with nothing written.
    pub no_commit: AtomicBool,
    /// Statements that bind this text are refused.
    pub refused: Mutex<Option<String>>,
}

impl WatchedViews {
    pub fn new(inner: Arc<dyn SqlStore>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            queries: Mutex::default(),
            begun: AtomicU64::new(0),
            no_commit: AtomicBool::new(false),
            refused: Mutex::default(),
        })
    }
}

struct WatchedTransaction {
    inner: Box<dyn OpenTransaction>,
    no_commit: bool,
    refused: Option<String>,
}

#[async_trait]
impl SqlStore for WatchedViews {
    async fn query(&self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        self.queries.lock().unwrap().push(sql.to_owned());
        self.inner.query(sql, params).await
    }
    async fn begin(
        &self,
        organization: OrganizationId,
    ) -> Result<Box<dyn OpenTransaction>, SqlError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let inner = self.inner.begin(organization).await?;
        let refused = self.refused.lock().unwrap().clone();
        Ok(Box::new(WatchedTransaction {
            inner,
            no_commit: self.no_commit.load(Ordering::SeqCst),
            refused,
        }))
    }
    async fn begin_exclusive(&self) -> Result<Box<dyn OpenTransaction>, SqlError> {
        self.inner.begin_exclusive().await
    }
    async fn scratch(&self) -> Result<Arc<dyn SqlStore>, SqlError> {
        self.inner.scratch().await
    }
    async fn promote(
        &self,
        scratch: Arc<dyn SqlStore>,
        exclusive: Box<dyn OpenTransaction>,
    ) -> Result<(), SqlError> {
        self.inner.promote(scratch, exclusive).await
    }
    fn scratch_name(&self) -> Option<String> {
        self.inner.scratch_name()
    }
}

#[async_trait]
impl SqlTransaction for WatchedTransaction {
    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        self.inner.query(sql, params).await
    }
    async fn execute(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<u64, SqlError> {
        self.inner.execute(sql, params).await
    }
    async fn execute_all(
        &mut self,
        statements: Vec<(String, Vec<SqlValue>)>,
    ) -> Result<(), SqlError> {
        let refused = |v: &SqlValue| matches!((v, &self.refused), (SqlValue::Text(Some(t)), Some(r)) if t == r);
        if statements.iter().any(|(_, params)| params.iter().any(refused)) {
            return Err(SqlError::Refused("invalid byte sequence".into()));
        }
        self.inner.execute_all(statements).await
    }
}

#[async_trait]
impl OpenTransaction for WatchedTransaction {
    async fn finish(
        mut self: Box<Self>,
        statements: Vec<(String, Vec<SqlValue>)>,
    ) -> Result<(), SqlError> {
        self.execute_all(statements).await?;
        self.commit().await
    }
    async fn commit(self: Box<Self>) -> Result<(), SqlError> {
        if self.no_commit {
            return Err(SqlError::Unavailable("the connection broke".into()));
        }
        self.inner.commit().await
    }
}
