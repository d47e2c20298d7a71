//! One writing transaction.

use super::value;
use async_trait::async_trait;
use rollcall_domain::sql::{OpenTransaction, SqlError, SqlRow, SqlTransaction, SqlValue};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, PgTransaction};
use std::sync::Arc;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit};

pub(super) struct Transaction {
    /// None once it failed: PostgreSQL would answer a commit then with a silent roll back.
    inner: Option<PgTransaction<'static>>,
    /// In this order: whoever waits for the organization must find a connection.
    _permit: OwnedSemaphorePermit,
    _organization: Option<OwnedMutexGuard<()>>,
}

/// What this process holds while it writes, beside the locks of the database.
pub(super) struct Turn {
    pub permit: OwnedSemaphorePermit,
    pub organization: Option<OwnedMutexGuard<()>>,
}

impl Transaction {
    pub fn new(inner: PgTransaction<'static>, turn: Turn) -> Box<Self> {
        Box::new(Self {
            inner: Some(inner),
            _permit: turn.permit,
            _organization: turn.organization,
        })
    }

    fn open(&mut self) -> Result<&mut PgConnection, SqlError> {
        self.inner
            .as_deref_mut()
            .ok_or_else(|| SqlError::Refused("the transaction failed before".into()))
    }

    async fn check<T>(&mut self, result: sqlx::Result<T>) -> Result<T, SqlError> {
        let Err(e) = result else { return result.map_err(value::sql_error) };
        if let Some(mut failed) = self.inner.take() {
            if value::is_stale(&e) {
                drop(failed.clear_cached_statements().await);
            }
            drop(failed.rollback().await);
        }
        Err(value::sql_error(e))
    }
}

#[async_trait]
impl SqlTransaction for Transaction {
    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        let result = value::bind(sql, &params).fetch_all(self.open()?).await;
        value::rows(&self.check(result).await?)
    }

    async fn execute(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<u64, SqlError> {
        let result = value::bind(sql, &params).execute(self.open()?).await;
        Ok(self.check(result).await?.rows_affected())
    }

    async fn execute_all(
        &mut self,
        statements: Vec<(String, Vec<SqlValue>)>,
    ) -> Result<(), SqlError> {
        for (sql, params) in &statements {
            let result = value::bind(sql, params).execute(self.open()?).await;
            self.check(result).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl OpenTransaction for Transaction {
    async fn finish(
        mut self: Box<Self>,
        statements: Vec<(String, Vec<SqlValue>)>,
    ) -> Result<(), SqlError> {
        self.execute_all(statements).await?;
        self.commit().await
    }

    async fn commit(mut self: Box<Self>) -> Result<(), SqlError> {
        match self.inner.take() {
            Some(inner) => inner.commit().await.map_err(value::sql_error),
            None => Err(SqlError::Refused("the transaction failed before".into())),
        }
    }
}

/// Shared by everybody who writes to one organization in this process.
pub(super) type OrganizationLock = Arc<tokio::sync::Mutex<()>>;
