//! Making and checking the tables.

use crate::error::OpenError;
use crate::options;
use futures::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _, Row as _};
use std::time::Duration;

/// Held while tables are made, so that two processes that start together do not both try.
pub(crate) const LOCK: i64 = 0x726f_6c6c_6361_6c6c;

/// A part of the database with a format of its own.
pub(crate) struct Part {
    /// Its name in `rollcall.format`.
    pub name: &'static str,
    /// The schema it lives in.
    pub schema: &'static str,
    /// The format this program writes.
    pub supported: i32,
    /// The oldest format that is opened as it is: what is to be done to it is done later.
    pub oldest: i32,
    /// Makes the tables, or leaves them as they are.
    pub ddl: &'static str,
    /// Brings the format before to this one; none if there is nothing older that is kept.
    pub upgrade: Option<Upgrade>,
}

type Upgrade = for<'c> fn(&'c mut PgConnection) -> BoxFuture<'c, sqlx::Result<()>>;

/// Brings a part to the format this program writes; refuses one that is newer.
pub(crate) async fn prepare(
    options: &PgConnectOptions,
    part: &Part,
    timeout: Duration,
) -> Result<(), OpenError> {
    let mut connection = connect(options, timeout).await?;
    // Most starts find everything in place, and then need no right to create anything.
    if found(&mut connection, part).await?.is_some_and(|found| found >= part.oldest) {
        connection.close().await?;
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
    let found = found(&mut transaction, part).await?;
    if found.is_none() {
        transaction
            .execute(
                // A role that serves makes its views, and may not make tables beside the log.
                "SET LOCAL client_min_messages = warning; DO $$ BEGIN \
                 IF NOT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'rollcall' AND tablename = 'format') THEN \
                 CREATE SCHEMA IF NOT EXISTS rollcall; \
                 CREATE TABLE rollcall.format (part text PRIMARY KEY, version integer NOT NULL); \
                 END IF; END $$",
            )
            .await?;
        transaction.execute(part.ddl).await?;
        sqlx::query("INSERT INTO rollcall.format (part, version) VALUES ($1, $2) ON CONFLICT (part) DO NOTHING")
            .bind(part.name)
            .bind(part.supported)
            .execute(&mut *transaction)
            .await?;
    } else if found.is_some_and(|found| found < part.oldest)
        && let Some(upgrade) = part.upgrade
    {
        upgrade(&mut transaction).await?;
    }
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

pub(crate) async fn connect(
    database: &PgConnectOptions,
    timeout: Duration,
) -> Result<PgConnection, OpenError> {
    let connect = async {
        let mut connection = PgConnection::connect_with(database).await.map_err(OpenError::of)?;
        // A pooler may take what is asked of a connection, and not pass it on.
        let sql = "SELECT current_setting($1)";
        let row = sqlx::query(sql).bind(options::IDLE.0).fetch_one(&mut connection).await?;
        match row.try_get::<String, _>(0)? == options::IDLE.1 {
            true => Ok(connection),
            false => Err(OpenError::Pooler),
        }
    };
    tokio::time::timeout(timeout, connect).await.map_err(|_| OpenError::TimedOut)?
}

/// The format of a part; `None` if it is not there.
async fn found(connection: &mut PgConnection, part: &Part) -> Result<Option<i32>, OpenError> {
    // Asked of the tables: to_regclass answers from a cache that may not know yet what was
    // committed while this waited for the lock.
    let sql = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'rollcall' AND tablename = 'format'), \
               EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
    let there = sqlx::query(sql).bind(part.schema).fetch_one(&mut *connection).await?;
    if !there.try_get::<bool, _>(0)? {
        return Ok(None);
    }
    let row = sqlx::query("SELECT version FROM rollcall.format WHERE part = $1")
        .bind(part.name)
        .fetch_optional(connection)
        .await?;
    let version: Option<i32> = row.map(|row| row.try_get(0)).transpose()?;
    match version {
        Some(found) if found > part.supported => {
            Err(OpenError::Newer { found, supported: part.supported })
        }
        _ => Ok(version.filter(|_| there.get(1))),
    }
}
