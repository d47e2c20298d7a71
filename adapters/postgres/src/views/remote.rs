//! The views as the port wants them: everything is handed to their own thread.

use super::Local;
use super::rail::Rail;
use crate::error::OpenError;
use async_trait::async_trait;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::Watch;
use rollcall_domain::sql::{
    Family, OpenTransaction, SqlError, SqlRow, SqlStore, SqlTransaction, SqlValue,
};
use std::sync::Arc;
use std::time::Duration;

/// A family of views in the schema `rollcall_views` or `rollcall_audit`. Several processes may have
/// them open.
pub struct PostgresViews {
    local: Option<Arc<Local>>,
    rail: Rail,
    patience: Patience,
}

/// How long a server that does not answer is waited for. Nothing else ends such a wait: the
/// connection of a server that hangs looks like any other.
#[derive(Clone, Copy)]
struct Patience {
    /// For a read.
    read: Duration,
    /// For a step of a transaction; the first may queue behind others for a lock.
    write: Duration,
}

/// Somebody waits for the answer.
const LIVE: Patience = Patience { read: Duration::from_secs(8), write: Duration::from_secs(10) };
/// Nobody does.
const SCRATCH: Patience =
    Patience { read: Duration::from_secs(60), write: Duration::from_secs(120) };

impl PostgresViews {
    /// Opens a family of views in a database; makes their schema if it is not there, and sweeps
    /// what processes left that were interrupted.
    pub async fn connect(url: &str, family: Family) -> Result<Self, OpenError> {
        Self::connect_watched(url, family, Arc::default()).await
    }

    /// The same beside a log in the same database: each new connection is held against what is
    /// known of that.
    pub async fn connect_watched(
        url: &str,
        family: Family,
        watch: Arc<Watch>,
    ) -> Result<Self, OpenError> {
        let rail = Rail::start().map_err(OpenError::Writer)?;
        let url = url.to_owned();
        let opened = rail.run(async move { Ok(Local::connect(&url, family, &watch).await) }).await;
        let local = opened.map_err(|e| OpenError::Writer(std::io::Error::other(e)))??;
        Ok(Self { local: Some(Arc::new(local)), rail, patience: LIVE })
    }

    /// What is durable beside log and views, in the schema `rollcall_side`.
    pub async fn aside(url: &str) -> Result<Self, OpenError> {
        Self::aside_watched(url, Arc::default()).await
    }

    /// The same beside a log in the same database.
    pub async fn aside_watched(url: &str, watch: Arc<Watch>) -> Result<Self, OpenError> {
        let rail = Rail::start().map_err(OpenError::Writer)?;
        let url = url.to_owned();
        let opened = rail.run(async move { Ok(Local::aside(&url, &watch).await) }).await;
        let local = opened.map_err(|e| OpenError::Writer(std::io::Error::other(e)))??;
        Ok(Self { local: Some(Arc::new(local)), rail, patience: LIVE })
    }

    fn local(&self) -> Result<Arc<Local>, SqlError> {
        self.local.clone().ok_or_else(|| SqlError::Unavailable("these views are closed".into()))
    }

    fn transaction(&self, inner: Box<dyn OpenTransaction>) -> Box<dyn OpenTransaction> {
        Box::new(Remote {
            inner: Some(inner),
            rail: self.rail.clone(),
            patience: self.patience.write,
        })
    }
}

impl Drop for PostgresViews {
    fn drop(&mut self) {
        if let Some(local) = self.local.take() {
            self.rail.dispose(local);
        }
    }
}

#[async_trait]
impl SqlStore for PostgresViews {
    async fn query(&self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        let (local, sql) = (self.local()?, sql.to_owned());
        self.rail
            .run_within(self.patience.read, async move { local.query(&sql, params).await })
            .await
    }

    async fn begin(
        &self,
        organization: OrganizationId,
    ) -> Result<Box<dyn OpenTransaction>, SqlError> {
        let local = self.local()?;
        let inner = self
            .rail
            .run_within(self.patience.write, async move { local.begin(organization).await })
            .await?;
        Ok(self.transaction(inner))
    }

    async fn begin_with(
        &self,
        organization: OrganizationId,
        sql: &str,
        params: Vec<SqlValue>,
    ) -> Result<(Box<dyn OpenTransaction>, Vec<SqlRow>), SqlError> {
        let (local, sql) = (self.local()?, sql.to_owned());
        let begin = async move {
            let mut inner = local.begin(organization).await?;
            let rows = inner.query(&sql, params).await?;
            Ok((inner, rows))
        };
        let (inner, rows) = self.rail.run_within(self.patience.write, begin).await?;
        Ok((self.transaction(inner), rows))
    }

    async fn begin_exclusive(&self) -> Result<Box<dyn OpenTransaction>, SqlError> {
        let local = self.local()?;
        let inner = self.rail.run(async move { local.begin_exclusive().await }).await?;
        Ok(self.transaction(inner))
    }

    async fn scratch(&self) -> Result<Arc<dyn SqlStore>, SqlError> {
        let local = self.local()?;
        let scratch = self.rail.run(async move { local.scratch().await }).await?;
        Ok(Arc::new(Self {
            local: Some(Arc::new(scratch)),
            rail: self.rail.clone(),
            patience: SCRATCH,
        }))
    }

    async fn promote(
        &self,
        scratch: Arc<dyn SqlStore>,
        exclusive: Box<dyn OpenTransaction>,
    ) -> Result<(), SqlError> {
        let name = scratch
            .scratch_name()
            .ok_or_else(|| SqlError::Refused("not a scratch store".into()))?;
        let local = self.local()?;
        self.rail.run(async move { local.promote(&name, exclusive).await }).await
    }

    fn scratch_name(&self) -> Option<String> {
        self.local.as_ref()?.scratch.as_ref().map(|scratch| scratch.name.clone())
    }
}

/// A transaction that lives on the thread. Each call takes it there and back; a caller that goes
/// away in the middle leaves it there, where it is rolled back.
struct Remote {
    inner: Option<Box<dyn OpenTransaction>>,
    rail: Rail,
    patience: Duration,
}

impl Remote {
    fn take(&mut self) -> Result<Box<dyn OpenTransaction>, SqlError> {
        self.inner.take().ok_or_else(|| SqlError::Refused("the transaction failed before".into()))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            self.rail.dispose(inner);
        }
    }
}

#[async_trait]
impl SqlTransaction for Remote {
    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        let (mut inner, sql) = (self.take()?, sql.to_owned());
        let job = async move {
            let rows = inner.query(&sql, params).await?;
            Ok((inner, rows))
        };
        let (inner, rows) = self.rail.run_within(self.patience, job).await?;
        self.inner = Some(inner);
        Ok(rows)
    }

    async fn execute(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<u64, SqlError> {
        let (mut inner, sql) = (self.take()?, sql.to_owned());
        let job = async move {
            let touched = inner.execute(&sql, params).await?;
            Ok((inner, touched))
        };
        let (inner, touched) = self.rail.run_within(self.patience, job).await?;
        self.inner = Some(inner);
        Ok(touched)
    }

    async fn execute_all(
        &mut self,
        statements: Vec<(String, Vec<SqlValue>)>,
    ) -> Result<(), SqlError> {
        let mut inner = self.take()?;
        let job = async move {
            inner.execute_all(statements).await?;
            Ok(inner)
        };
        self.inner = Some(self.rail.run_within(self.patience, job).await?);
        Ok(())
    }
}

#[async_trait]
impl OpenTransaction for Remote {
    async fn commit(mut self: Box<Self>) -> Result<(), SqlError> {
        let inner = self.take()?;
        self.rail.run_within(self.patience, async move { inner.commit().await }).await
    }

    async fn finish(
        mut self: Box<Self>,
        statements: Vec<(String, Vec<SqlValue>)>,
    ) -> Result<(), SqlError> {
        let inner = self.take()?;
        self.rail.run_within(self.patience, async move { inner.finish(statements).await }).await
    }
}
