//! Bringing a log of before to the format of today, in the transaction of whoever opens it first.
//!
//! Format 1 had no ledger. Each record and exchange gets its leaf, from the first to the last, and
//! each head its tree, with the remark that the leaves came later than what is under them. Nothing
//! that was there is changed, and all of it is taken back if it breaks off; a process of before
//! that still runs is refused by the database when it appends.

use super::codec::{self, EXCHANGE_BODIES, RECORD};
use super::ledger;
use futures::future::BoxFuture;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::*;
use sqlx::Executor as _;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

/// Records, and exchanges with their bodies, that are in memory at once.
const RECORDS: i64 = 1_000;
const EXCHANGES: i64 = 32;

const BEGIN: &str = "\
    LOCK TABLE rollcall.heads, rollcall.events, rollcall.exchanges IN ACCESS EXCLUSIVE MODE; \
    CREATE TABLE rollcall.identity (epoch uuid NOT NULL); \
    INSERT INTO rollcall.identity (epoch) VALUES (gen_random_uuid()); \
    ALTER TABLE rollcall.heads ADD COLUMN tree bytea, \
        ADD COLUMN uncovered bigint NOT NULL DEFAULT 0, ADD COLUMN last_exchange uuid; \
    ALTER TABLE rollcall.events ADD COLUMN leaf bytea; \
    ALTER TABLE rollcall.exchanges ADD COLUMN leaf bytea";

const END: &str = "\
    ALTER TABLE rollcall.events ALTER COLUMN leaf SET NOT NULL; \
    ALTER TABLE rollcall.exchanges ALTER COLUMN leaf SET NOT NULL; \
    UPDATE rollcall.heads h SET uncovered = position + exchange_number, \
        last_exchange = (SELECT id FROM rollcall.exchanges x WHERE x.organization = h.organization ORDER BY number DESC LIMIT 1); \
    UPDATE rollcall.format SET version = 2 WHERE part = 'log'";

/// Converts format 1.
pub(super) fn upgrade(connection: &mut PgConnection) -> BoxFuture<'_, sqlx::Result<()>> {
    Box::pin(async move {
        tracing::info!("the log is converted to format 2");
        connection.execute(BEGIN).await?;
        let heads = sqlx::query("SELECT organization FROM rollcall.heads");
        for head in heads.fetch_all(&mut *connection).await? {
            let organization = codec::organization(&head, 0)?;
            records(connection, organization).await?;
            exchanges(connection, organization).await?;
            let tree = ledger::grow(connection, organization).await?;
            if tree.size() > 0 {
                sqlx::query("UPDATE rollcall.heads SET tree = $2 WHERE organization = $1")
                    .bind(organization.0)
                    .bind(tree.to_bytes())
                    .execute(&mut *connection)
                    .await?;
            }
        }
        connection.execute(END).await?;
        Ok(())
    })
}

async fn records(connection: &mut PgConnection, organization: OrganizationId) -> sqlx::Result<()> {
    let sql = format!(
        "SELECT {RECORD} FROM rollcall.events WHERE organization = $1 AND position > $2 ORDER BY position LIMIT $3"
    );
    let mut after = 0;
    loop {
        let query = sqlx::query(&sql).bind(organization.0).bind(codec::int(after)).bind(RECORDS);
        let mut leaves = Vec::new();
        for row in query.fetch_all(&mut *connection).await? {
            let record = codec::record(&row)?;
            after = record.position;
            leaves.push((after, record_leaf(&record)));
        }
        if leaves.is_empty() {
            return Ok(());
        }
        let sql = "UPDATE rollcall.events e SET leaf = t.leaf FROM unnest($2::bigint[], $3::bytea[]) AS t(position, leaf) \
                   WHERE e.organization = $1 AND e.position = t.position";
        keep(connection, sql, organization.0, &leaves).await?;
    }
}

async fn exchanges(
    connection: &mut PgConnection,
    organization: OrganizationId,
) -> sqlx::Result<()> {
    let sql = format!(
        "SELECT {EXCHANGE_BODIES} FROM rollcall.exchanges WHERE organization = $1 AND number > $2 ORDER BY number LIMIT $3"
    );
    let mut after = 0;
    loop {
        let query = sqlx::query(&sql).bind(organization.0).bind(codec::int(after)).bind(EXCHANGES);
        let mut leaves = Vec::new();
        for row in query.fetch_all(&mut *connection).await? {
            let exchange = codec::exchange(&row, Bodies::Read)?;
            after = exchange.number;
            leaves.push((after, exchange_leaf(&exchange)));
        }
        if leaves.is_empty() {
            return Ok(());
        }
        let sql = "UPDATE rollcall.exchanges x SET leaf = t.leaf FROM unnest($2::bigint[], $3::bytea[]) AS t(number, leaf) \
                   WHERE x.organization = $1 AND x.number = t.number";
        keep(connection, sql, organization.0, &leaves).await?;
    }
}

async fn keep(
    connection: &mut PgConnection,
    sql: &str,
    organization: Uuid,
    leaves: &[(u64, LeafHash)],
) -> sqlx::Result<()> {
    sqlx::query(sql)
        .bind(organization)
        .bind(leaves.iter().map(|(number, _)| codec::int(*number)).collect::<Vec<_>>())
        .bind(leaves.iter().map(|(_, leaf)| &leaf.0[..]).collect::<Vec<_>>())
        .execute(connection)
        .await
        .map(drop)
}
