//! A role that serves and owns nothing of the log: what a server needs every day, and no more.

use crate::error::OpenError;
use crate::log::PostgresLog;
use crate::options::ConnectOptions;
use crate::{options, schema};
use rollcall_domain::log::Log as _;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _, Row as _};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

/// What the role may do in the schema of the log. Records are added and read; of exchanges their
/// bodies and what was said in passing can be dropped later, and nothing else.
const RIGHTS: [(&str, &str); 7] = [
    ("SELECT", "ALL TABLES IN SCHEMA rollcall"),
    ("INSERT", "rollcall.events, rollcall.exchanges, rollcall.claim_keys, rollcall.format"),
    ("UPDATE (document, request_body, answer_body)", "rollcall.exchanges"),
    ("INSERT, DELETE", "rollcall.exchange_facets"),
    ("INSERT, UPDATE", "rollcall.heads"),
    ("INSERT, UPDATE, DELETE", "rollcall.claims, rollcall.aggregate_snapshots, rollcall.notes"),
    ("UPDATE", "rollcall.identity"),
];

/// A role that can serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServingRole {
    /// Its name.
    pub role: String,
    /// Whose the log is: who may change its format, repair it, and put a backup into it.
    pub owner: String,
    /// The database.
    pub database: String,
}

/// Why there is no such role.
#[derive(Debug, thiserror::Error)]
pub enum NotServing {
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no such role.
    #[error("there is no role {0}: make it first (CREATE ROLE {0} LOGIN PASSWORD '...')")]
    NoRole(String),
    /// It may do everything already.
    #[error(
        "{0} may do everything already, because {1}: choose a role that owns nothing of the log"
    )]
    Powerful(String, &'static str),
    /// Servers are at work.
    #[error("{0} connections of servers are open: stop those first")]
    Served(i64),
    /// What was written in the clear is to be sealed first, which needs the deployment's key.
    #[error("the log is of a version that sealed nothing: start a server as its owner once, first")]
    OfBefore,
    /// The database refuses.
    #[error("the database refuses: {0}")]
    Refused(#[from] sqlx::Error),
}

/// Makes the tables of the log, or brings them to the format of today, as the role of the URL; and
/// lets another role serve by them. Views and what is beside the log belong to that role: views
/// that are there already are dropped, and made anew by the next server.
///
/// # Errors
/// If there is no such role, if it owns the log, or if the database refuses.
pub async fn prepare_serving(url: &str, role: &str) -> Result<ServingRole, NotServing> {
    let database = options::parse(url)?;
    let mut connection = schema::connect(&database, TIMEOUT).await?;
    let at_work = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND application_name = 'rollcall' AND pid <> pg_backend_pid()";
    match sqlx::query(at_work).fetch_one(&mut connection).await?.try_get(0)? {
        0 => {}
        served => return Err(NotServing::Served(served)),
    }
    let log = PostgresLog::connect(url, ConnectOptions::default()).await?;
    let is_of_before = log.is_of_before().await;
    if is_of_before.map_err(|e| sqlx::Error::Protocol(e.to_string()))? {
        return Err(NotServing::OfBefore);
    }
    drop(log);
    let mut tx = connection.begin().await?;
    let found = found(&mut tx, role).await?;
    let quoted = found.quoted.clone();
    let mut say = format!(
        "SET LOCAL client_min_messages = warning; \
         REVOKE ALL ON ALL TABLES IN SCHEMA rollcall FROM {quoted}; \
         REVOKE ALL ON SCHEMA rollcall FROM {quoted}; GRANT USAGE ON SCHEMA rollcall TO {quoted}; \
         GRANT CONNECT, CREATE ON DATABASE {} TO {quoted}; ",
        found.database_quoted
    );
    for (rights, on) in RIGHTS {
        say.push_str(&format!("GRANT {rights} ON {on} TO {quoted}; "));
    }
    tx.execute(&*say).await?;
    for schema in ["rollcall_views", "rollcall_audit"] {
        if owner_of(&mut tx, schema).await?.is_some_and(|owner| owner != role) {
            tx.execute(&*format!("DROP SCHEMA {schema} CASCADE")).await?;
        }
    }
    if owner_of(&mut tx, "rollcall_side").await?.is_some_and(|owner| owner != role) {
        tx.execute(&*format!("ALTER SCHEMA rollcall_side OWNER TO {quoted}")).await?;
        let tables =
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'rollcall_side'";
        for row in sqlx::query(tables).fetch_all(&mut *tx).await? {
            let table: String = row.try_get(0)?;
            tx.execute(&*format!("ALTER TABLE rollcall_side.{table} OWNER TO {quoted}")).await?;
        }
    }
    tx.commit().await?;
    connection.close().await?;
    Ok(ServingRole { role: role.to_owned(), owner: found.owner, database: found.database })
}

struct Found {
    quoted: String,
    owner: String,
    database: String,
    database_quoted: String,
}

async fn found(connection: &mut PgConnection, role: &str) -> Result<Found, NotServing> {
    let sql = "SELECT quote_ident($1), t.tableowner::text, current_database()::text, quote_ident(current_database()), \
               r.rolsuper, pg_has_role($1, t.tableowner, 'MEMBER') \
               FROM pg_tables t, pg_roles r \
               WHERE t.schemaname = 'rollcall' AND t.tablename = 'events' AND r.rolname = $1";
    let row = sqlx::query(sql).bind(role).fetch_optional(&mut *connection).await;
    let row = match row {
        // 42704: undefined object, by pg_has_role.
        Err(e) if e.as_database_error().and_then(|e| e.code()).as_deref() == Some("42704") => None,
        row => row?,
    };
    let Some(row) = row else { return Err(NotServing::NoRole(role.to_owned())) };
    if row.try_get(4)? {
        return Err(NotServing::Powerful(role.to_owned(), "it is a superuser"));
    }
    if row.try_get(5)? {
        return Err(NotServing::Powerful(role.to_owned(), "the log is its own"));
    }
    Ok(Found {
        quoted: row.try_get(0)?,
        owner: row.try_get(1)?,
        database: row.try_get(2)?,
        database_quoted: row.try_get(3)?,
    })
}

/// Whose a schema is, if it is there.
async fn owner_of(connection: &mut PgConnection, schema: &str) -> sqlx::Result<Option<String>> {
    let sql = "SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = $1";
    let row = sqlx::query(sql).bind(schema).fetch_optional(connection).await?;
    row.map(|row| row.try_get(0)).transpose()
}
