//! Scratch schemas: made, swept when their maker is gone, and put in the place of the live one.

use super::value::sql_error;
use rollcall_domain::sql::{OpenTransaction, SqlError};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _, Row as _};

/// A schema of its own. While this lives, it holds a lock that says so to other processes.
pub(super) struct Scratch {
    pub name: String,
    keeper: Option<PgConnection>,
}

/// A lock on a name. Names are ours: letters, digits and underscores.
fn lock(name: &str) -> String {
    format!("hashtextextended('{name}', 0)")
}

impl Scratch {
    /// Makes an empty one. Its name, and that of what it may replace, begins with the family's
    /// schema.
    pub async fn make(database: &PgConnectOptions, family: &str) -> Result<Self, SqlError> {
        let mut keeper = PgConnection::connect_with(database).await.map_err(sql_error)?;
        // No two live connections have one backend id, so no two live scratch schemas one name.
        let row = sqlx::query("SELECT pg_backend_pid()")
            .fetch_one(&mut keeper)
            .await
            .map_err(sql_error)?;
        let name = format!("{family}_scratch_{}", row.try_get::<i32, _>(0).map_err(sql_error)?);
        let sql = format!(
            "SET client_min_messages = warning; SELECT pg_advisory_lock({}); DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}",
            lock(&name)
        );
        keeper.execute(&*sql).await.map_err(sql_error)?;
        Ok(Self { name, keeper: Some(keeper) })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Some(mut keeper) = self.keeper.take() else { return };
        let sql = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name);
        // Without a runtime the schema stays, and the next start sweeps it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(e) = keeper.execute(&*sql).await {
                    tracing::warn!(error = %e, "a scratch schema could not be dropped");
                }
                drop(keeper.close().await);
            });
        }
    }
}

/// Drops what earlier processes left: replaced schemas, and scratch schemas nobody holds.
pub(super) async fn sweep(connection: &mut PgConnection, family: &str) -> sqlx::Result<()> {
    let sql = "SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname, $1 || '_scratch_') OR starts_with(nspname, $1 || '_old_')";
    let rows = sqlx::query(sql).bind(family).fetch_all(&mut *connection).await?;
    for row in rows {
        let name: String = row.try_get(0)?;
        if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
            continue;
        }
        let sql = format!("SELECT pg_try_advisory_lock({})", lock(&name));
        let free: bool = sqlx::query(&sql).fetch_one(&mut *connection).await?.try_get(0)?;
        if free {
            let sql = format!(
                "SET client_min_messages = warning; DROP SCHEMA IF EXISTS {name} CASCADE; SELECT pg_advisory_unlock({})",
                lock(&name)
            );
            connection.execute(&*sql).await?;
        }
    }
    Ok(())
}

/// Gives the scratch schema the family's name, in one transaction. The old one is only renamed
/// there: dropping it would wait for those who read it. Gives the old one's new name.
pub(super) async fn promote(
    family: &str,
    scratch: &str,
    mut exclusive: Box<dyn OpenTransaction>,
) -> Result<String, SqlError> {
    let old = scratch.replacen("_scratch_", "_old_", 1);
    exclusive.execute(&format!("DROP SCHEMA IF EXISTS {old} CASCADE"), Vec::new()).await?;
    exclusive.execute(&format!("ALTER SCHEMA {family} RENAME TO {old}"), Vec::new()).await?;
    exclusive.execute(&format!("ALTER SCHEMA {scratch} RENAME TO {family}"), Vec::new()).await?;
    // The views are written with lax durability; which tables they are is not left to luck.
    exclusive.execute("SET LOCAL synchronous_commit = on", Vec::new()).await?;
    exclusive.commit().await?;
    Ok(old)
}
