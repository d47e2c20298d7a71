//! The views in PostgreSQL.

mod inline;
mod rail;
mod remote;
mod scratch;
mod together;
mod transaction;
mod value;

use crate::error::OpenError;
use crate::fault::{Fault, fault};
use crate::options;
use crate::schema::{self, Part};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::Watch;
use rollcall_domain::sql::{Family, OpenTransaction, SqlError, SqlRow, SqlValue};
use scratch::Scratch;
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{Connection as _, Executor as _, PgTransaction};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use transaction::{OrganizationLock, Transaction, Turn};
pub(crate) use value::{row, sql_error};

const LIVE: Part = Part {
    name: "views",
    schema: "rollcall_views",
    supported: 1,
    oldest: 1,
    ddl: "CREATE SCHEMA IF NOT EXISTS rollcall_views",
    upgrade: None,
};
const AUDIT: Part = Part {
    name: "audit",
    schema: "rollcall_audit",
    supported: 1,
    oldest: 1,
    ddl: "CREATE SCHEMA IF NOT EXISTS rollcall_audit",
    upgrade: None,
};
const SIDE: Part = Part {
    name: "side",
    schema: "rollcall_side",
    supported: 1,
    oldest: 1,
    ddl: "CREATE SCHEMA IF NOT EXISTS rollcall_side",
    upgrade: None,
};
const TIMEOUT: Duration = Duration::from_secs(2);
const READERS: u32 = 8;
/// Transactions of this process at a time. Others wait here and not inside the server, where each
/// of them would hold a connection.
const WRITERS: u32 = 4;

pub(crate) use inline::InlineTransaction;
pub use remote::PostgresViews;

/// The views, to be used on their own thread.
struct Local {
    /// Without a schema of its own.
    database: PgConnectOptions,
    /// The schema of the family, also in a scratch copy of it.
    family: &'static str,
    schema: String,
    readers: PgPool,
    writers: PgPool,
    free: Arc<Semaphore>,
    /// In this process organizations queue here, one in the database at a time.
    organizations: Mutex<HashMap<OrganizationId, OrganizationLock>>,
    scratch: Option<Scratch>,
}

impl Local {
    /// Opens a family of views in a database; makes their schema if it is not there, and sweeps
    /// what processes left that were interrupted.
    async fn connect(url: &str, family: Family, watch: &Arc<Watch>) -> Result<Self, OpenError> {
        let part = match family {
            Family::Live => LIVE,
            Family::Audit => AUDIT,
        };
        Self::open(url, part, watch).await
    }

    /// Opens what is durable beside log and views; makes its schema if it is not there.
    async fn aside(url: &str, watch: &Arc<Watch>) -> Result<Self, OpenError> {
        Self::open(url, SIDE, watch).await
    }

    async fn open(url: &str, part: Part, watch: &Arc<Watch>) -> Result<Self, OpenError> {
        let database = options::parse(url)?;
        schema::prepare(&database, &part, TIMEOUT).await?;
        let mut connection = schema::connect(&database, TIMEOUT).await?;
        if let Err(e) = scratch::sweep(&mut connection, part.schema).await {
            tracing::warn!(error = %e, "leftover schemas could not be dropped");
        }
        drop(connection.close().await);
        Ok(Self::new(database, part.schema, part.schema.into(), None, watch))
    }

    fn new(
        database: PgConnectOptions,
        family: &'static str,
        schema: String,
        scratch: Option<Scratch>,
        watch: &Arc<Watch>,
    ) -> Self {
        // A scratch copy can be lost. What was answered cannot: a view that fell back with a crash
        // of the server would be read before it has caught up again.
        let durability = if scratch.is_some() { "off" } else { "on" };
        // Nobody waits for an auditors' view, nor for a copy.
        let idle = match scratch.is_none() && family != AUDIT.schema {
            true => options::IDLE,
            false => options::PATIENT,
        };
        let options = database.clone().options([
            ("search_path", schema.as_str()),
            ("synchronous_commit", durability),
            idle,
        ]);
        Self {
            readers: options::pool(&options, READERS, TIMEOUT, watch),
            writers: options::pool(&options, WRITERS, TIMEOUT, watch),
            free: Arc::new(Semaphore::new(WRITERS as usize)),
            organizations: Mutex::default(),
            database,
            family,
            schema,
            scratch,
        }
    }

    fn organization(&self, organization: OrganizationId) -> OrganizationLock {
        let mut organizations = self.organizations.lock().unwrap_or_else(PoisonError::into_inner);
        if organizations.len() > 1000 {
            organizations.retain(|_, lock| Arc::strong_count(lock) > 1);
        }
        organizations.entry(organization).or_default().clone()
    }

    /// Begins, takes the locks, and only then lets statements (and their snapshots) follow.
    async fn transaction(
        &self,
        locks: &str,
        organization: Option<OrganizationLock>,
    ) -> Result<Box<dyn OpenTransaction>, SqlError> {
        let organization = match organization {
            Some(lock) => Some(lock.lock_owned().await),
            None => None,
        };
        let permit = self
            .free
            .clone()
            .acquire_owned()
            .await
            .map_err(|e| SqlError::Unavailable(e.to_string()))?;
        let mut tries = WRITERS + 1;
        loop {
            tries -= 1;
            match self.locked(locks).await {
                // One of those a restarted server left in the pool.
                Err(e) if tries > 0 && fault(&e) == Fault::Lost => {}
                begun => {
                    return Ok(Transaction::new(
                        begun.map_err(sql_error)?,
                        Turn { permit, organization },
                    ));
                }
            }
        }
    }

    /// Begins first and locks then: sqlx rolls back a transaction whose caller goes away while it
    /// waits for a lock, but would leave one open that was begun and locked in one step.
    async fn locked(&self, locks: &str) -> sqlx::Result<PgTransaction<'static>> {
        let mut transaction = self.writers.begin().await?;
        transaction.execute(&*format!("SELECT {locks}")).await?;
        Ok(transaction)
    }
}

impl Local {
    async fn query(&self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        let mut tries = READERS + 1;
        loop {
            tries -= 1;
            let mut connection = self.readers.acquire().await.map_err(sql_error)?;
            match value::bind(sql, &params).fetch_all(&mut *connection).await {
                Err(e) if tries > 0 && value::is_stale(&e) => {
                    connection.clear_cached_statements().await.map_err(sql_error)?
                }
                Err(e) if tries > 0 && matches!(fault(&e), Fault::Lost | Fault::Conflict) => {}
                answer => return value::rows(&answer.map_err(sql_error)?),
            }
        }
    }

    async fn begin(
        &self,
        organization: OrganizationId,
    ) -> Result<Box<dyn OpenTransaction>, SqlError> {
        let schema = &self.schema;
        // Shared with all who write, alone among those who write to this organization.
        let locks = format!(
            "pg_advisory_xact_lock_shared(hashtextextended('{schema} writers', 0)), \
             pg_advisory_xact_lock(hashtextextended('{schema} {organization}', 0))"
        );
        self.transaction(&locks, Some(self.organization(organization))).await
    }

    async fn begin_exclusive(&self) -> Result<Box<dyn OpenTransaction>, SqlError> {
        self.transaction(
            &format!("pg_advisory_xact_lock(hashtextextended('{} writers', 0))", self.schema),
            None,
        )
        .await
    }

    async fn scratch(&self) -> Result<Self, SqlError> {
        let made = tokio::time::timeout(TIMEOUT, Scratch::make(&self.database, self.family)).await;
        let scratch =
            made.map_err(|_| SqlError::Unavailable("the database does not answer".into()))??;
        let (database, name) = (self.database.clone(), scratch.name.clone());
        Ok(Self::new(database, self.family, name, Some(scratch), &Arc::default()))
    }

    async fn promote(
        &self,
        name: &str,
        exclusive: Box<dyn OpenTransaction>,
    ) -> Result<(), SqlError> {
        let old = scratch::promote(self.family, name, exclusive).await?;
        // Done. What is left to do is tidying up, which the next start would do as well.
        let sql = format!(
            "SET lock_timeout = '5s'; SET client_min_messages = warning; DROP SCHEMA IF EXISTS {old} CASCADE"
        );
        match schema::connect(&self.database, TIMEOUT).await {
            Ok(mut connection) => {
                if let Err(e) = connection.execute(&*sql).await {
                    tracing::warn!(error = %e, "the replaced views could not be dropped");
                }
                drop(connection.close().await);
            }
            Err(e) => tracing::warn!(error = %e, "the replaced views could not be dropped"),
        }
        Ok(())
    }
}
