//! Whether the log behind a connection is the one that is known, and what is noted beside it.

use super::codec::{self, int};
use super::read::Reader;
use crate::error::OpenError;
use crate::schema;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::{
    Closed, Found, Head, Known, LogError, Mark, RESTORING, Watch, successor_of,
};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{Connection as _, Executor as _, Row as _};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

const THERE: &str =
    "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'rollcall' AND tablename = 'notes')";

const TABLE: &str =
    "CREATE TABLE rollcall.notes (name text NOT NULL PRIMARY KEY, text text NOT NULL)";

/// With whether a backup is being put into the log.
const EPOCH: &str = "SELECT epoch, EXISTS (SELECT FROM rollcall.notes WHERE name = 'restoring') FROM rollcall.identity";

/// Where all logs end, and the exchanges that are where the last ones known were.
const ENDS: &str = "SELECT h.organization, h.position, h.exchange_number, h.last_exchange, x.id FROM rollcall.heads h \
     LEFT JOIN unnest($1::uuid[], $2::bigint[]) AS t(organization, number) ON t.organization = h.organization \
     LEFT JOIN rollcall.exchanges x ON x.organization = t.organization AND x.number = t.number";

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

/// Holds what is known of the log against the one behind a connection. Nothing is asked while
/// nothing is known. What is why is noted in the watch.
pub(crate) async fn compare(connection: &mut PgConnection, watch: &Watch) -> sqlx::Result<()> {
    let known = watch.known();
    if known == Known::default() {
        return Ok(());
    }
    let epoch = epoch(watch, &sqlx::query(EPOCH).fetch_one(&mut *connection).await?)?;
    let rows = ends(&known).fetch_all(connection).await?;
    // Noted, for whoever answers.
    let _noted = judge(watch, &known, epoch, &rows)?;
    Ok(())
}

/// Notices, too, that the log is being restored.
fn epoch(watch: &Watch, row: &PgRow) -> sqlx::Result<Uuid> {
    if row.try_get(1)? {
        watch.notice(Closed::Restoring);
    }
    row.try_get(0)
}

fn ends(known: &Known) -> sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments> {
    let numbers: Vec<i64> = known.marks.values().map(|mark| int(mark.exchange_number)).collect();
    sqlx::query(ENDS).bind(known.marks.keys().map(|o| o.0).collect::<Vec<_>>()).bind(numbers)
}

fn judge(
    watch: &Watch,
    known: &Known,
    epoch: Uuid,
    rows: &[PgRow],
) -> sqlx::Result<Result<(), Closed>> {
    let mut found = BTreeMap::new();
    for row in rows {
        let (organization, head) = codec::head(row)?;
        let at_known = row.try_get::<Option<Uuid>, _>(4)?.map(ExchangeId);
        found.insert(organization, Found { end: mark(head, row.try_get(3)?), at_known });
    }
    // One that is known and not there ends at nothing.
    for organization in known.marks.keys() {
        found.entry(*organization).or_default();
    }
    Ok(watch.epoch(epoch).and_then(|()| {
        found.into_iter().try_for_each(|(organization, found)| {
            watch.compare(organization, known.marks.get(&organization).copied(), found)
        })
    }))
}

/// Where a log ends.
pub(super) fn mark(head: Head, last_exchange: Option<Uuid>) -> Mark {
    let Head { position, exchange_number } = head;
    Mark { position, exchange_number, last_exchange: last_exchange.map(ExchangeId) }
}

/// A connection that is of no use, because of what is behind it.
pub(super) fn refused(why: Closed) -> sqlx::Error {
    sqlx::Error::Configuration(why.into())
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

/// Where each organization's log was known to end.
pub(super) type Marks = BTreeMap<OrganizationId, Mark>;
