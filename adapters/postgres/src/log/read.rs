//! What is read from the log, through a pool.

use super::codec::{self, EXCHANGE, EXCHANGE_BODIES, RECORD, int, log_error};
use super::facets::{self, Find};
use super::streams::Streams;
use crate::fault::{Fault, fault, trouble};
use crate::standing;
use chrono::{DateTime, Utc};
use rollcall_domain::claim::{Claim, ClaimKind};
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::entry::erase_exchange;
use rollcall_domain::log::*;
use sqlx::postgres::{PgArguments, PgPool, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{Connection as _, Executor as _, Row as _};
use std::sync::Arc;
use std::time::Duration;

/// Runs queries. They change nothing that running them twice would change again, so a dead
/// connection, of which a restarted server leaves a pool full, is worth another try.
pub(super) struct Reader {
    pub pool: PgPool,
    streams: Streams,
    timeout: Duration,
    watch: Arc<Watch>,
}

/// What an append waits for, before it writes.
const LIKE_AN_APPEND: &str =
    "SET LOCAL lock_timeout = '2s'; LOCK TABLE rollcall.heads IN ROW EXCLUSIVE MODE";

type Prepared<'q> = Query<'q, Postgres, PgArguments>;

impl Reader {
    /// Reads through a pool; gives a connection up after `timeout`.
    pub fn new(pool: PgPool, timeout: Duration, watch: Arc<Watch>) -> Self {
        Self { streams: Streams::new(pool.clone()), pool, timeout, watch }
    }

    /// Runs a query until a connection lives through it.
    pub async fn rows<'q>(&self, query: impl Fn() -> Prepared<'q>) -> Result<Vec<PgRow>, LogError> {
        self.tried(|| query().fetch_all(&self.pool)).await
    }

    /// Asks until a connection lives through it.
    pub(super) async fn tried<T, F: Future<Output = sqlx::Result<T>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<T, LogError> {
        let mut tries = self.pool.options().get_max_connections() + 1;
        loop {
            tries -= 1;
            let answer = tokio::time::timeout(self.timeout, ask()).await;
            match answer
                .map_err(|_| LogError::Unavailable("the database does not answer".into()))?
            {
                Err(e) if tries > 0 && matches!(fault(&e), Fault::Lost | Fault::Conflict) => {}
                answer => return answer.map_err(log_error),
            }
        }
    }

    pub(super) async fn all<'q, T>(
        &self,
        query: impl Fn() -> Prepared<'q>,
        row: impl FnMut(&PgRow) -> sqlx::Result<T>,
    ) -> Result<Vec<T>, LogError> {
        self.rows(query).await?.iter().map(row).collect::<Result<_, _>>().map_err(log_error)
    }

    pub(super) async fn one<'q, T>(
        &self,
        query: impl Fn() -> Prepared<'q>,
        row: impl FnOnce(&PgRow) -> sqlx::Result<T>,
    ) -> Result<Option<T>, LogError> {
        self.rows(query).await?.first().map(row).transpose().map_err(log_error)
    }

    pub async fn load(&self, stream: &StreamId, after: Version) -> Result<Vec<Record>, LogError> {
        self.tried(|| self.streams.load(stream, after)).await
    }

    pub async fn records(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Record>, LogError> {
        let sql = format!(
            "SELECT {RECORD} FROM rollcall.events WHERE organization = $1 AND position > $2 ORDER BY position LIMIT $3"
        );
        self.all(
            || sqlx::query(&sql).bind(organization.0).bind(int(after)).bind(int(limit as u64)),
            codec::record,
        )
        .await
    }

    pub async fn exchanges(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
        bodies: Bodies,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        let columns = match bodies {
            Bodies::Read => EXCHANGE_BODIES,
            Bodies::Skip => EXCHANGE,
        };
        let sql = format!(
            "SELECT {columns} FROM rollcall.exchanges WHERE organization = $1 AND number > $2 ORDER BY number LIMIT $3"
        );
        let query =
            || sqlx::query(&sql).bind(organization.0).bind(int(after)).bind(int(limit as u64));
        self.all(query, |row| codec::exchange(row, bodies)).await
    }

    pub async fn find(&self, find: &Find) -> Result<Vec<RecordedExchange>, LogError> {
        self.all(|| find.query(), |row| codec::exchange(row, Bodies::Skip)).await
    }

    pub async fn exchange(
        &self,
        organization: OrganizationId,
        id: ExchangeId,
    ) -> Result<Option<RecordedExchange>, LogError> {
        let sql = format!(
            "SELECT {EXCHANGE_BODIES} FROM rollcall.exchanges WHERE organization = $1 AND id = $2"
        );
        self.one(
            || sqlx::query(&sql).bind(organization.0).bind(id.0),
            |row| codec::exchange(row, Bodies::Read),
        )
        .await
    }

    /// Notices, too, if it is less than what was known.
    pub async fn head(&self, organization: OrganizationId) -> Result<Head, LogError> {
        let known = self.watch.mark(organization);
        let sql = "SELECT organization, position, exchange_number, last_exchange FROM rollcall.heads WHERE organization = $1";
        let row = |row: &PgRow| {
            let (_, head) = codec::head(row)?;
            Ok((head, standing::mark(head, row.try_get(3)?)))
        };
        let found = self.one(|| sqlx::query(sql).bind(organization.0), row).await?;
        let (head, end) = found.unwrap_or_default();
        // Noted, for whoever answers.
        let _noted = self.watch.compare(organization, known, Found { end, at_known: None });
        Ok(head)
    }

    /// A head that was only locked so far has nothing behind it. Notices, too, that a backup is
    /// being put into the log: nothing of it is to be folded before it is whole.
    pub async fn heads(&self) -> Result<Vec<(OrganizationId, Head)>, LogError> {
        let sql = "SELECT organization, position, exchange_number, \
                   EXISTS (SELECT FROM rollcall.notes WHERE name = 'restoring') FROM rollcall.heads \
                   WHERE position > 0 OR exchange_number > 0 ORDER BY organization";
        let row = |row: &PgRow| {
            if row.try_get(3)? {
                self.watch.notice(Closed::Restoring);
            }
            codec::head(row)
        };
        self.all(|| sqlx::query(sql), row).await
    }

    pub async fn snapshot(&self, stream: StreamId) -> Result<Option<AggregateSnapshot>, LogError> {
        use sqlx::Row as _;
        let sql = "SELECT version, schema, state FROM rollcall.aggregate_snapshots WHERE aggregate_type = $1 AND aggregate_id = $2";
        let id = stream.aggregate_id();
        self.one(
            || sqlx::query(sql).bind(stream.kind.as_str()).bind(&id),
            |row| {
                Ok(AggregateSnapshot {
                    stream,
                    version: codec::count(row, 0)?,
                    schema: row.try_get(1)?,
                    state: row.try_get(2)?,
                })
            },
        )
        .await
    }

    pub async fn save_snapshot(&self, snapshot: &AggregateSnapshot) -> Result<(), LogError> {
        let sql = "INSERT INTO rollcall.aggregate_snapshots AS kept (aggregate_type, aggregate_id, version, schema, state) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE \
                   SET version = excluded.version, schema = excluded.schema, state = excluded.state \
                   WHERE excluded.version >= kept.version";
        let (kind, id) = (snapshot.stream.kind.as_str(), snapshot.stream.aggregate_id());
        let query = || {
            sqlx::query(sql)
                .bind(kind)
                .bind(&id)
                .bind(int(snapshot.version))
                .bind(&snapshot.schema)
                .bind(&snapshot.state)
        };
        self.rows(query).await.map(drop)
    }

    pub async fn holder(&self, claim: &Claim) -> Result<Option<StreamId>, LogError> {
        let sql = "SELECT holder_organization, holder_kind, holder_id FROM rollcall.claims WHERE scope = $1 AND kind = $2 AND key = $3";
        let query =
            || sqlx::query(sql).bind(claim.scope.0).bind(claim.kind.as_str()).bind(&claim.key[..]);
        self.one(query, |row| codec::stream(row, 0)).await
    }

    /// Claims in the domain's order, which knows kinds by rank where the table knows them by name:
    /// so one kind after another.
    pub async fn claims(
        &self,
        scope: OrganizationId,
        after: Option<Claim>,
        limit: usize,
    ) -> Result<Vec<(Claim, StreamId)>, LogError> {
        let sql = "SELECT key, holder_organization, holder_kind, holder_id FROM rollcall.claims \
                   WHERE scope = $1 AND kind = $2 AND key > $3 ORDER BY key LIMIT $4";
        let mut found = Vec::new();
        for kind in ClaimKind::ALL {
            let after: &[u8] = match &after {
                Some(claim) if claim.kind > kind => continue,
                Some(claim) if claim.kind == kind => &claim.key,
                // Shorter than every key, so before the first.
                _ => &[],
            };
            let left = int((limit - found.len()) as u64);
            let query =
                || sqlx::query(sql).bind(scope.0).bind(kind.as_str()).bind(after).bind(left);
            found.extend(self.all(query, |row| codec::claim(row, scope, kind)).await?);
        }
        Ok(found)
    }

    pub async fn claim_key(
        &self,
        scope: OrganizationId,
        fresh: [u8; 32],
    ) -> Result<[u8; 32], LogError> {
        let insert = "INSERT INTO rollcall.claim_keys (scope, key) VALUES ($1, $2) ON CONFLICT (scope) DO NOTHING";
        self.rows(|| sqlx::query(insert).bind(scope.0).bind(&fresh[..])).await?;
        // A statement of its own: it sees the key of whoever came first.
        let select = "SELECT key FROM rollcall.claim_keys WHERE scope = $1";
        let kept = self.one(|| sqlx::query(select).bind(scope.0), |row| codec::key(row, 0)).await?;
        kept.ok_or_else(|| LogError::Damaged(format!("the claim key of {scope} vanished")))
    }

    pub async fn claim_keys(&self) -> Result<Vec<(OrganizationId, [u8; 32])>, LogError> {
        let sql = "SELECT scope, key FROM rollcall.claim_keys ORDER BY scope";
        self.all(|| sqlx::query(sql), |row| Ok((codec::organization(row, 0)?, codec::key(row, 1)?)))
            .await
    }

    /// A write, but one that changes nothing when it is run twice.
    pub async fn erase_exchanges(
        &self,
        organization: OrganizationId,
        numbers: &[ExchangeNumber],
    ) -> Result<u64, LogError> {
        self.tried(|| async {
            let mut connection = self.pool.acquire().await?;
            let mut tx = connection.begin().await?;
            let sql = format!(
                "SELECT {EXCHANGE_BODIES} FROM rollcall.exchanges WHERE organization = $1 AND number = ANY($2) FOR UPDATE"
            );
            let numbers: Vec<i64> = numbers.iter().map(|number| int(*number)).collect();
            let rows = sqlx::query(&sql).bind(organization.0).bind(numbers);
            let mut erased = 0;
            for row in rows.fetch_all(&mut *tx).await? {
                let mut found = codec::exchange(&row, Bodies::Read)?;
                if found.exchange.is_erased() {
                    continue;
                }
                erase_exchange(&mut found.exchange);
                let document = serde_json::to_string(&found.exchange).map_err(codec::odd)?;
                let forget = "UPDATE rollcall.exchanges SET request_body = '', answer_body = '', document = $3::json \
                              WHERE organization = $1 AND number = $2";
                let number = int(found.number);
                let forget = sqlx::query(forget).bind(organization.0).bind(number).bind(document);
                forget.execute(&mut *tx).await?;
                let lost = "DELETE FROM rollcall.exchange_facets WHERE organization = $1 AND number = $2";
                sqlx::query(lost).bind(organization.0).bind(number).execute(&mut *tx).await?;
                facets::insert(&mut tx, &[found]).await?;
                erased += 1;
            }
            tx.commit().await?;
            Ok(erased)
        })
        .await
    }

    /// A write, but one that changes nothing when it is run twice.
    pub async fn drop_bodies(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        through: ExchangeNumber,
    ) -> Result<u64, LogError> {
        let sql = "UPDATE rollcall.exchanges SET request_body = '', answer_body = '', \
                   document = (document::jsonb || jsonb_build_object('bodies_dropped', true, 'body_hashes', jsonb_build_object( \
                       'request', encode(sha256(request_body), 'hex'), 'answer', encode(sha256(answer_body), 'hex'))))::json \
                   WHERE organization = $1 AND number > $2 AND number <= $3 \
                   AND (length(request_body) > 0 OR length(answer_body) > 0) RETURNING number";
        let rows = self
            .rows(|| sqlx::query(sql).bind(organization.0).bind(int(after)).bind(int(through)))
            .await?;
        Ok(rows.len() as u64)
    }

    /// What the database's clock shows.
    pub async fn time(&self) -> Result<DateTime<Utc>, LogError> {
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        let found = self.one(|| sqlx::query(sql), |row| codec::instant(row.try_get(0)?)).await?;
        found.ok_or_else(|| LogError::Unavailable("the database has no time".to_owned()))
    }

    /// Whether the log can be read and written. Where the last append could not be made, this
    /// writes: only a commit tells whether it can be made again.
    pub async fn ping(&self) -> Result<(), LogError> {
        let settings = "SELECT current_setting('transaction_read_only')";
        let write = "INSERT INTO rollcall.notes (name, text) VALUES ('probe', 'written') \
                     ON CONFLICT (name) DO UPDATE SET text = excluded.text";
        let probe = || async {
            let row = sqlx::query(settings).fetch_one(&self.pool).await?;
            if row.try_get::<&str, _>(0)? != "off" {
                return Ok(Some(Trouble::ReadOnly));
            }
            if self.watch.trouble().is_some() {
                let mut tx = self.pool.begin().await?;
                tx.execute(LIKE_AN_APPEND).await?;
                sqlx::query(write).execute(&mut *tx).await?;
                tx.commit().await?;
            }
            Ok(None)
        };
        let mut tries = self.pool.options().get_max_connections() + 1;
        let found = loop {
            tries -= 1;
            let probed = tokio::time::timeout(self.timeout, probe()).await;
            match probed.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
                Ok(found) => break found,
                // One of those a restarted server left in the pool.
                Err(e) if tries > 0 && fault(&e) == Fault::Lost => {}
                Err(e) => break Some(trouble(&e)),
            }
        };
        self.watch.came_to(found);
        found.map_or(Ok(()), |why| Err(LogError::Unavailable(why.to_string())))
    }
}
