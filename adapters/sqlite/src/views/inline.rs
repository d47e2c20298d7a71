//! A writing transaction on the thread of the log.

use super::value;
use async_trait::async_trait;
use rollcall_domain::sql::{SqlError, SqlRow, SqlTransaction, SqlValue};
use rusqlite::Connection;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Rolls back when it is dropped.
pub(crate) struct InlineTransaction<'a>(&'a mut Connection);

impl<'a> InlineTransaction<'a> {
    /// Begins. Refused at once while another connection writes.
    pub fn begin(connection: &'a mut Connection) -> Result<Self, SqlError> {
        connection.execute_batch("BEGIN IMMEDIATE").map_err(value::sql_error)?;
        Ok(Self(connection))
    }

    /// Makes everything visible, at once.
    pub fn commit(self) -> Result<(), SqlError> {
        self.0.execute_batch("COMMIT").map_err(value::sql_error)
    }

    /// Runs what is written as if it could wait. Nothing here does.
    pub fn run<T>(
        &mut self,
        job: impl AsyncFnOnce(&mut dyn SqlTransaction) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        let mut job = pin!(job(self));
        match job.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => done,
            Poll::Pending => Err(SqlError::Refused("the fold waits for something".into())),
        }
    }
}

impl Drop for InlineTransaction<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit()
            && let Err(e) = self.0.execute_batch("ROLLBACK")
        {
            tracing::error!(error = %e, "views.rollback failed");
        }
    }
}

#[async_trait]
impl SqlTransaction for InlineTransaction<'_> {
    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        value::query(self.0, sql, &params)
    }

    async fn execute(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<u64, SqlError> {
        value::execute(self.0, sql, &params)
    }

    async fn execute_all(
        &mut self,
        statements: Vec<(String, Vec<SqlValue>)>,
    ) -> Result<(), SqlError> {
        statements
            .iter()
            .try_for_each(|(sql, params)| value::execute(self.0, sql, params).map(drop))
    }
}
