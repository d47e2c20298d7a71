//! Bringing a log of format 2, in which everything is in the clear, to the format of today: all of
//! it in one transaction of whoever opens it first. Records and exchanges are written into new
//! tables, so that no dead row of the old ones is left among them, and the old ones stay in a
//! schema of their own until somebody drops it.

use super::codec::{self, EXCHANGE_BODIES, RECORD, int, log_error};
use super::read::Reader;
use super::{FORMAT, facets, ledger};
use crate::schema;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{Connection as _, Executor as _, Row as _};
use std::time::Duration;
use uuid::Uuid;

/// The format that is rewritten.
pub(super) const BEFORE: i32 = 2;

/// Records, and exchanges with their bodies, that are in memory at once.
const RECORDS: i64 = 1_000;
const EXCHANGES: i64 = 64;

/// The schema in which the log stays as it was.
const COPY: &str = "rollcall_format_2";

/// Nobody appends from here on; who reads goes on.
const BEGIN: &str = "\
    LOCK TABLE rollcall.heads, rollcall.events, rollcall.exchanges IN SHARE ROW EXCLUSIVE MODE; \
    CREATE SCHEMA rollcall_rewriting; CREATE SCHEMA rollcall_format_2; \
    CREATE TABLE rollcall_format_2.heads AS TABLE rollcall.heads; \
    CREATE TABLE rollcall_format_2.identity AS TABLE rollcall.identity";

const SWITCH: &str = "\
    ALTER TABLE rollcall.events SET SCHEMA rollcall_format_2; \
    ALTER TABLE rollcall.exchanges SET SCHEMA rollcall_format_2; \
    ALTER TABLE rollcall_rewriting.events SET SCHEMA rollcall; \
    ALTER TABLE rollcall_rewriting.exchanges SET SCHEMA rollcall; \
    DROP SCHEMA rollcall_rewriting; \
    TRUNCATE rollcall.exchange_facets, rollcall.aggregate_snapshots";

/// Rewrites the log if it is of that format.
pub(super) async fn rewrite(
    options: &PgConnectOptions,
    timeout: Duration,
    fresh: Uuid,
    by: &dyn Rewrite,
) -> Result<Option<Rewritten>, LogError> {
    let connection = schema::connect(options, timeout).await;
    let mut connection = connection.map_err(|e| LogError::Unavailable(e.to_string()))?;
    // Most starts find today's format, and need no right to change its number.
    let version = connection.fetch_one(VERSION).await.and_then(|row| row.try_get::<i32, _>(0));
    if version.map_err(log_error)? != BEFORE {
        return Ok(None);
    }
    let mut tx = connection.begin().await.map_err(log_error)?;
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(schema::LOCK);
    lock.execute(&mut *tx).await.map_err(log_error)?;
    // Whoever held the lock may have done it.
    if !is_of_before(&tx.fetch_one(OF_BEFORE).await.map_err(log_error)?).map_err(log_error)? {
        return Ok(None);
    }
    tracing::info!(
        schema = COPY,
        "what is personal in the log is sealed; the log as it was is kept in that schema, to be dropped by you"
    );
    let heads = begin(&mut tx).await.map_err(log_error)?;
    let mut entries = 0;
    for (organization, head) in &heads {
        entries += head.position + head.exchange_number;
        records(&mut tx, *organization, by).await?;
        exchanges(&mut tx, *organization, by).await?;
    }
    let was = finish(&mut tx, &heads, fresh).await.map_err(log_error)?;
    tx.commit().await.map_err(log_error)?;
    drop(connection.close().await);
    Ok(Some(Rewritten { was, entries, copy: format!("the schema {COPY} of the database") }))
}

const VERSION: &str = "SELECT version FROM rollcall.format WHERE part = 'log'";

/// An empty log needs nothing but the number of today's format.
const OF_BEFORE: &str = "\
    WITH of AS (SELECT version, NOT EXISTS (SELECT FROM rollcall.events) AND NOT EXISTS (SELECT FROM rollcall.exchanges) AS is_empty \
        FROM rollcall.format WHERE part = 'log'), \
    kept AS (UPDATE rollcall.format f SET version = 3 FROM of WHERE f.part = 'log' AND of.version = 2 AND of.is_empty) \
    SELECT version = 2 AND NOT is_empty FROM of";

fn is_of_before(row: &PgRow) -> sqlx::Result<bool> {
    row.try_get(0)
}

impl Reader {
    /// Whether the log is of that format, and has something in it.
    pub async fn is_of_before(&self) -> Result<bool, LogError> {
        let lost = || LogError::Damaged("the log has lost its format".into());
        let found = self.one(|| sqlx::query(VERSION), |row| row.try_get::<i32, _>(0)).await?;
        if found.ok_or_else(lost)? != BEFORE {
            return Ok(false);
        }
        self.one(|| sqlx::query(OF_BEFORE), is_of_before).await?.ok_or_else(lost)
    }
}

async fn begin(tx: &mut PgConnection) -> sqlx::Result<Vec<(OrganizationId, Head)>> {
    tx.execute(BEGIN).await?;
    let ddl = include_str!("entries.sql").replace("rollcall.", "rollcall_rewriting.");
    tx.execute(&*ddl).await?;
    let sql = "SELECT organization, position, exchange_number FROM rollcall.heads ORDER BY 1";
    tx.fetch_all(sql).await?.iter().map(codec::head).collect()
}

async fn records(
    tx: &mut PgConnection,
    organization: OrganizationId,
    by: &dyn Rewrite,
) -> Result<(), LogError> {
    let read = format!(
        "SELECT {RECORD} FROM rollcall.events WHERE organization = $1 AND position > $2 ORDER BY position LIMIT $3"
    );
    let write = "INSERT INTO rollcall_rewriting.events \
        (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, organization, position, recorded_at, exchange, actor, leaf) \
        SELECT o.aggregate_type, o.aggregate_id, o.sequence, o.event_type, o.event_version, t.payload::json, o.metadata, o.organization, o.position, \
               o.recorded_at, o.exchange, o.actor, t.leaf \
        FROM unnest($2::bigint[], $3::text[], $4::bytea[]) AS t(position, payload, leaf) \
        JOIN rollcall.events o ON o.organization = $1 AND o.position = t.position ORDER BY o.position";
    let mut after = 0;
    loop {
        let query = sqlx::query(&read).bind(organization.0).bind(int(after)).bind(RECORDS);
        let rows = query.fetch_all(&mut *tx).await.map_err(log_error)?;
        let (mut at, mut payloads, mut leaves) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let mut record = codec::record(&row).map_err(log_error)?;
            by.record(&mut record).await?;
            after = record.position;
            at.push(int(after));
            leaves.push(record_leaf(&record).0.to_vec());
            payloads.push(record.payload);
        }
        if at.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(write).bind(organization.0).bind(at).bind(payloads).bind(leaves);
        query.execute(&mut *tx).await.map_err(log_error)?;
    }
}

async fn exchanges(
    tx: &mut PgConnection,
    organization: OrganizationId,
    by: &dyn Rewrite,
) -> Result<(), LogError> {
    let read = format!(
        "SELECT {EXCHANGE_BODIES} FROM rollcall.exchanges WHERE organization = $1 AND number > $2 ORDER BY number LIMIT $3"
    );
    let write = "INSERT INTO rollcall_rewriting.exchanges \
        (organization, number, id, first, last, after, document, request_body, answer_body, leaf) \
        SELECT o.organization, o.number, o.id, o.first, o.last, o.after, t.document::json, t.request, t.answer, t.leaf \
        FROM unnest($2::bigint[], $3::text[], $4::bytea[], $5::bytea[], $6::bytea[]) AS t(number, document, request, answer, leaf) \
        JOIN rollcall.exchanges o ON o.organization = $1 AND o.number = t.number ORDER BY o.number";
    let mut after = 0;
    loop {
        let query = sqlx::query(&read).bind(organization.0).bind(int(after)).bind(EXCHANGES);
        let rows = query.fetch_all(&mut *tx).await.map_err(log_error)?;
        let (mut at, mut documents, mut leaves) = (Vec::new(), Vec::new(), Vec::new());
        let (mut requests, mut answers) = (Vec::new(), Vec::new());
        for row in rows {
            let mut recorded = codec::exchange(&row, Bodies::Read).map_err(log_error)?;
            by.exchange(&mut recorded.exchange).await?;
            after = recorded.number;
            at.push(int(after));
            leaves.push(exchange_leaf(&recorded).0.to_vec());
            let document = serde_json::to_string(&recorded.exchange);
            documents.push(document.map_err(|e| LogError::Damaged(e.to_string()))?);
            requests.push(recorded.exchange.request_body);
            answers.push(recorded.exchange.answer_body);
        }
        if at.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(write).bind(organization.0).bind(at).bind(documents);
        let query = query.bind(requests).bind(answers).bind(leaves);
        query.execute(&mut *tx).await.map_err(log_error)?;
    }
}

/// Puts the new tables in the place of the old ones, with trees over their leaves, which came later
/// than what is under them, and gives the log its other epoch and its format.
async fn finish(
    tx: &mut PgConnection,
    heads: &[(OrganizationId, Head)],
    fresh: Uuid,
) -> sqlx::Result<Uuid> {
    tx.execute(SWITCH).await?;
    facets::fill(tx).await?;
    for (organization, _) in heads {
        let tree = ledger::grow(tx, *organization).await?;
        let tree = (tree.size() > 0).then(|| tree.to_bytes());
        let sql = "UPDATE rollcall.heads SET tree = $2 WHERE organization = $1";
        sqlx::query(sql).bind(organization.0).bind(tree).execute(&mut *tx).await?;
    }
    let all: Vec<Uuid> = heads.iter().map(|(organization, _)| organization.0).collect();
    ledger::uncover(tx, &all).await?;
    let row = sqlx::query("SELECT epoch FROM rollcall.identity FOR UPDATE").fetch_one(&mut *tx);
    let was: Uuid = row.await?.try_get(0)?;
    let renew = sqlx::query("UPDATE rollcall.identity SET epoch = $1").bind(fresh);
    renew.execute(&mut *tx).await?;
    for (name, text) in
        [(rewritten_of(was), fresh.to_string()), (REWRITTEN_FROM.to_owned(), was.to_string())]
    {
        let sql = "INSERT INTO rollcall.notes (name, text) VALUES ($1, $2)";
        sqlx::query(sql).bind(name).bind(text).execute(&mut *tx).await?;
    }
    let sql = "UPDATE rollcall.format SET version = $1 WHERE part = 'log'";
    sqlx::query(sql).bind(FORMAT).execute(&mut *tx).await?;
    Ok(was)
}
