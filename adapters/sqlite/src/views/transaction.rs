//! One writing transaction on the writer's thread.

use super::value;
use crate::pool::Pool;
use async_trait::async_trait;
use rollcall_domain::sql::{SqlError, SqlRow, SqlTransaction, SqlValue};
use rusqlite::Connection;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

pub(super) struct Transaction {
    writer: Arc<Pool>,
    /// Given back after the roll back was queued, which is before any other's begin.
    _turn: OwnedSemaphorePermit,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// A statement failed: as in PostgreSQL, all that is left is to roll back.
    Failed,
    Done,
}

impl Transaction {
    pub async fn begin(writer: Arc<Pool>, turn: OwnedSemaphorePermit) -> Result<Self, SqlError> {
        // Made first: if the caller goes away while this waits, dropping it rolls back.
        let mut transaction = Self { writer, _turn: turn, state: State::Open };
        transaction.run(|db| db.execute_batch("BEGIN IMMEDIATE").map_err(value::sql_error)).await?;
        Ok(transaction)
    }

    async fn run<T: Send + 'static>(
        &mut self,
        job: impl FnOnce(&Connection) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, SqlError> {
        if self.state != State::Open {
            return Err(SqlError::Refused("the transaction failed before".into()));
        }
        let answer = self.writer.run(move |db| job(db)).await.unwrap_or_else(|_| Err(SqlError::Unavailable("the writer stopped".into())));
        if answer.is_err() {
            self.state = State::Failed;
        }
        answer
    }
}

/// Some errors of the disk end a transaction by themselves; what follows must not be written alone.
fn inside(db: &Connection) -> Result<(), SqlError> {
    if db.is_autocommit() { Err(SqlError::Unavailable("the transaction was rolled back".into())) } else { Ok(()) }
}

#[async_trait]
impl SqlTransaction for Transaction {
    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        let sql = sql.to_owned();
        self.run(move |db| inside(db).and_then(|()| value::query(db, &sql, &params))).await
    }

    async fn execute(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<u64, SqlError> {
        let sql = sql.to_owned();
        self.run(move |db| inside(db).and_then(|()| value::execute(db, &sql, &params))).await
    }

    async fn execute_all(&mut self, statements: Vec<(String, Vec<SqlValue>)>) -> Result<(), SqlError> {
        self.run(move |db| {
            inside(db)?;
            for (sql, params) in &statements {
                value::execute(db, sql, params)?;
            }
            Ok(())
        })
        .await
    }

    async fn commit(mut self: Box<Self>) -> Result<(), SqlError> {
        self.run(|db| inside(db).and_then(|()| db.execute_batch("COMMIT").map_err(value::sql_error))).await?;
        self.state = State::Done;
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.state != State::Done {
            self.writer.post(|db| {
                if !db.is_autocommit()
                    && let Err(e) = db.execute_batch("ROLLBACK")
                {
                    tracing::error!(error = %e, "views.rollback failed");
                }
            });
        }
    }
}
