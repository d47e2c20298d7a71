//! Puts records where others were lost. What was there is kept as a note.

use super::codec::{int, log_error, odd};
use super::session::metadata;
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::{LogError, Record, mended, record_leaf};
use sqlx::postgres::PgPool;
use sqlx::{Executor as _, PgConnection, Row as _};

const WAS: &str = "SELECT leaf, row_to_json(e)::text FROM rollcall.events e \
                   WHERE organization = $1 AND position = $2 FOR UPDATE";
const NOTE: &str = "INSERT INTO rollcall.notes (name, text) VALUES ($1, $2) \
                    ON CONFLICT (name) DO UPDATE SET text = excluded.text";
const REMOVE: &str = "DELETE FROM rollcall.events WHERE organization = $1 AND position = $2";
const INSERT: &str = "INSERT INTO rollcall.events (aggregate_type, aggregate_id, sequence, event_type, \
                          event_version, payload, metadata, organization, position, recorded_at, exchange, actor, leaf) \
                      VALUES ($1, $2, $3, $4, $5, $6::json, $7::json, $8, $9, $10, $11, $12, $13)";
const FORGET: &str =
    "DELETE FROM rollcall.aggregate_snapshots WHERE aggregate_id LIKE $1::text || '/%'";

/// Puts records in their places, all or none.
pub(super) async fn mend(pool: &PgPool, records: &[Record]) -> Result<(), LogError> {
    let all = async {
        let mut tx = pool.begin().await?;
        tx.execute("SET LOCAL lock_timeout = '5s'").await?;
        for record in records {
            one(&mut tx, record).await?;
        }
        tx.commit().await
    };
    all.await.map_err(log_error)
}

async fn one(tx: &mut PgConnection, record: &Record) -> sqlx::Result<()> {
    let organization = record.stream.organization;
    let (owner, position) = (organization.0, int(record.position));
    // Nobody appends meanwhile.
    let head = "SELECT FROM rollcall.heads WHERE organization = $1 FOR UPDATE";
    sqlx::query(head).bind(owner).fetch_optional(&mut *tx).await?;
    let was = sqlx::query(WAS).bind(owner).bind(position).fetch_optional(&mut *tx).await?;
    let mut leaf = record_leaf(record);
    if let Some(was) = was {
        // What the ledger covers stays what it was.
        let kept: Option<[u8; 32]> = was.try_get::<Vec<u8>, _>(0)?.try_into().ok();
        leaf = kept.map_or(leaf, LeafHash);
        let (name, text): (_, String) = (mended(organization, record.position), was.try_get(1)?);
        sqlx::query(NOTE).bind(name).bind(text).execute(&mut *tx).await?;
        sqlx::query(REMOVE).bind(owner).bind(position).execute(&mut *tx).await?;
    }
    sqlx::query(INSERT)
        .bind(record.stream.kind.as_str())
        .bind(record.stream.aggregate_id())
        .bind(int(record.version))
        .bind(&record.event_type)
        .bind(&record.event_version)
        .bind(&record.payload)
        .bind(metadata(record)?)
        .bind(owner)
        .bind(position)
        .bind(record.recorded_at.timestamp_micros())
        .bind(record.exchange.map(|id| id.0))
        .bind(serde_json::to_string(&record.actor).map_err(odd)?)
        .bind(&leaf.0[..])
        .execute(&mut *tx)
        .await?;
    // States that were made of what is not there any more.
    sqlx::query(FORGET).bind(owner.to_string()).execute(&mut *tx).await?;
    Ok(())
}
