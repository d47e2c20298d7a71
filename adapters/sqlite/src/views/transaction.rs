//! One writing transaction on the writer's thread.

use super::value;
use crate::pool::Pool;
use async_trait::async_trait;
use rollcall_domain::sql::{OpenTransaction, SqlError, SqlRow, SqlTransaction, SqlValue};
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
    /// Nothing was asked yet: the first statement begins, which spares a way to the thread and
    /// back.
    New,
    Open,
    /// A statement failed: as in PostgreSQL, all that is left is to roll back.
    Failed,
    Done,
}

impl Transaction {
    pub fn new(writer: Arc<Pool>, turn: OwnedSemaphorePermit) -> Self {
        Self { writer, _turn: turn, state: State::New }
    }

    async fn run<T: Send + 'static>(
        &mut self,
        job: impl FnOnce(&Connection) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, SqlError> {
        let begin = match self.state {
            State::New => true,
            State::Open => false,
            State::Failed | State::Done => {
                return Err(SqlError::Refused("the transaction failed before".into()));
            }
        };
        // Set first: if the caller goes away while this waits, dropping it rolls back.
        self.state = State::Open;
        let job = move |db: &mut Connection| {
            if begin {
                db.execute_batch("BEGIN IMMEDIATE").map_err(value::sql_error)?;
            }
            // Some errors of the disk end a transaction by themselves; what follows must not be
            // written alone.
            if db.is_autocommit() {
                return Err(SqlError::Unavailable("the transaction was rolled back".into()));
            }
            job(db)
        };
        let answer = self
            .writer
            .run(job)
            .await
            .unwrap_or_else(|_| Err(SqlError::Unavailable("the writer stopped".into())));
        if answer.is_err() {
            self.state = State::Failed;
        }
        answer
    }
}

fn execute_all(db: &Connection, statements: &[(String, Vec<SqlValue>)]) -> Result<(), SqlError> {
    statements.iter().try_for_each(|(sql, params)| value::execute(db, sql, params).map(|_| ()))
}

fn commit(db: &Connection) -> Result<(), SqlError> {
    db.execute_batch("COMMIT").map_err(value::sql_error)
}

#[async_trait]
impl SqlTransaction for Transaction {
    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        let sql = sql.to_owned();
        self.run(move |db| value::query(db, &sql, &params)).await
    }

    async fn execute(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<u64, SqlError> {
        let sql = sql.to_owned();
        self.run(move |db| value::execute(db, &sql, &params)).await
    }

    async fn execute_all(
        &mut self,
        statements: Vec<(String, Vec<SqlValue>)>,
    ) -> Result<(), SqlError> {
        self.run(move |db| execute_all(db, &statements)).await
    }
}

#[async_trait]
impl OpenTransaction for Transaction {
    async fn commit(mut self: Box<Self>) -> Result<(), SqlError> {
        self.run(commit).await?;
        self.state = State::Done;
        Ok(())
    }

    async fn finish(
        mut self: Box<Self>,
        statements: Vec<(String, Vec<SqlValue>)>,
    ) -> Result<(), SqlError> {
        self.run(move |db| execute_all(db, &statements).and_then(|()| commit(db))).await?;
        self.state = State::Done;
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !matches!(self.state, State::New | State::Done) {
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
