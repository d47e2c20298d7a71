//! Whether the log is the one that is known, and what is noted beside it.

use super::codec;
use super::read::Reader;
use crate::error::OpenError;
use crate::schema;
use crate::standing::{EPOCH, ends, epoch, judge};
use rollcall_domain::log::{LogError, RESTORING, Watch, successor_of};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _, Row as _};
use std::time::Duration;
use uuid::Uuid;

const THERE: &str =
    "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'rollcall' AND tablename = 'notes')";

const TABLE: &str =
    "CREATE TABLE rollcall.notes (name text NOT NULL PRIMARY KEY, text text NOT NULL)";

/// Makes the table of notes if it is not there.
pub(super) async fn prepare(
    options: &PgConnectOptions,
    timeout: Duration,
) -> Result<(), OpenError> {
    let mut connection = schema::connect(options, timeout).await?;
    if !is_there(&mut connection).await? {
        let mut transaction = connection.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(schema::LOCK)
            .execute(&mut *transaction)
            .await?;
        if !is_there(&mut transaction).await? {
            transaction.execute(TABLE).await?;
        }
        transaction.commit().await?;
    }
    connection.close().await?;
    Ok(())
}

async fn is_there(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query(THERE).fetch_one(connection).await?.try_get(0)
}

impl Reader {
    /// Holds all that is known against the log, and learns what is not known yet.
    pub async fn compare(&self, watch: &Watch) -> Result<(), LogError> {
        let known = watch.known();
        let found = self.one(|| sqlx::query(EPOCH), |row| epoch(watch, row)).await?;
        let epoch = found.ok_or_else(|| LogError::Damaged("the log has lost its name".into()))?;
        let rows = self.rows(|| ends(&known)).await?;
        let judged = judge(watch, &known, epoch, &rows).map_err(codec::log_error)?;
        judged.map_err(LogError::Closed)
    }

    pub async fn note(&self, name: &str) -> Result<Option<String>, LogError> {
        let sql = "SELECT text FROM rollcall.notes WHERE name = $1";
        self.one(|| sqlx::query(sql).bind(name), |row| row.try_get(0)).await
    }

    pub async fn keep_note(&self, name: &str, text: Option<&str>) -> Result<(), LogError> {
        let keep = "INSERT INTO rollcall.notes (name, text) VALUES ($1, $2) \
                    ON CONFLICT (name) DO UPDATE SET text = excluded.text";
        let drop_it = "DELETE FROM rollcall.notes WHERE name = $1";
        let query = || match text {
            Some(text) => sqlx::query(keep).bind(name).bind(text),
            None => sqlx::query(drop_it).bind(name),
        };
        self.rows(query).await.map(drop)
    }

    /// Empties a log that is being restored.
    pub async fn clear(&self, fresh: Uuid) -> Result<bool, LogError> {
        self.tried(|| async {
            let mut connection = self.pool.acquire().await?;
            let mut tx = connection.begin().await?;
            tx.execute("SET LOCAL lock_timeout = '5s'").await?;
            // Held to the end: who ends the restore meanwhile waits.
            let noted = "SELECT FROM rollcall.notes WHERE name = $1 FOR UPDATE";
            if sqlx::query(noted).bind(RESTORING).fetch_optional(&mut *tx).await?.is_none() {
                return Ok(false);
            }
            tx.execute(
                "TRUNCATE rollcall.events, rollcall.exchanges, rollcall.exchange_facets, rollcall.claims, \
                 rollcall.claim_keys, rollcall.aggregate_snapshots, rollcall.heads",
            )
            .await?;
            let was: Uuid = sqlx::query("SELECT epoch FROM rollcall.identity FOR UPDATE")
                .fetch_one(&mut *tx)
                .await?
                .try_get(0)?;
            let renew = "UPDATE rollcall.identity SET epoch = $1";
            sqlx::query(renew).bind(fresh).execute(&mut *tx).await?;
            let note = "INSERT INTO rollcall.notes (name, text) VALUES ($1, $2)";
            let (name, text) = (successor_of(was), fresh.to_string());
            sqlx::query(note).bind(name).bind(text).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(true)
        })
        .await
    }

    /// Gives the log another epoch, if it has this one, and says by which it is followed.
    pub async fn renew(&self, was: Uuid, fresh: Uuid) -> Result<bool, LogError> {
        let sql = "WITH renewed AS (UPDATE rollcall.identity SET epoch = $2 WHERE epoch = $1 RETURNING epoch) \
                   INSERT INTO rollcall.notes (name, text) SELECT $3, epoch::text FROM renewed RETURNING name";
        let name = successor_of(was);
        let rows = self.rows(|| sqlx::query(sql).bind(was).bind(fresh).bind(&name)).await?;
        Ok(!rows.is_empty())
    }
}
