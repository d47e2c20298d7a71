//! A log of the format before is rewritten as a whole, or stays what it was.

use crate::fixture::database;
use crate::given::*;
use crate::log::ledger;
use crate::restore::{backup, fill};
use anyhow::{Result, ensure};
use async_trait::async_trait;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use rollcall_postgres::{ConnectOptions, PostgresLog};
use rollcall_sqlite::SqliteLog;
use sqlx::{Connection as _, Executor as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::Uuid;

const OF: [OrganizationId; 3] = [OrganizationId::NONE, ONE, TWO];

/// Marks all that it is given, and fails at one of them.
struct Marking {
    fails_at: usize,
    seen: AtomicUsize,
}

impl Marking {
    fn new(fails_at: usize) -> Arc<Self> {
        Arc::new(Self { fails_at, seen: AtomicUsize::new(0) })
    }

    fn one(&self) -> Result<(), LogError> {
        match self.seen.fetch_add(1, Ordering::Relaxed) {
            seen if seen == self.fails_at => Err(LogError::Unavailable("as told".into())),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Rewrite for Marking {
    async fn record(&self, record: &mut Record) -> Result<(), LogError> {
        record.payload = format!("{{\"was\":{}}}", record.payload);
        self.one()
    }

    async fn exchange(&self, exchange: &mut Exchange) -> Result<(), LogError> {
        exchange.subject = Some(format!("{}!", exchange.subject.take().unwrap_or_default()));
        exchange.request_body.push(b'!');
        self.one()
    }
}

/// Fails at every few, then does it; twice, which is once.
async fn story(log: &Arc<dyn Log>) -> Result<()> {
    let before = backup(log).await?;
    let epoch = log.epoch().await?;
    let mut entries = 0;
    for (_, head) in log.heads().await? {
        entries += head.position + head.exchange_number;
    }
    ensure!(entries > 100, "{entries}");
    for fails_at in (0..entries as usize).step_by(37) {
        ensure!(log.is_of_before().await?);
        let fresh = Uuid::from_u128(7);
        ensure!(log.rewrite(fresh, Marking::new(fails_at)).await.is_err(), "{fails_at}");
        ensure!(backup(log).await? == before && log.epoch().await? == epoch, "{fails_at}");
    }
    let fresh = Uuid::from_u128(8);
    let done = log.rewrite(fresh, Marking::new(usize::MAX)).await?;
    let done = done.ok_or_else(|| anyhow::anyhow!("there was nothing to do"))?;
    ensure!((done.was, done.entries) == (epoch, entries), "{done:?}");
    ensure!(log.epoch().await? == fresh && !log.is_of_before().await?);
    ensure!(log.rewrite(Uuid::from_u128(9), Marking::new(0)).await?.is_none());
    ensure!(log.note(&rewritten_of(epoch)).await? == Some(fresh.to_string()));
    for organization in OF {
        let head = log.head(organization).await?;
        let (tree, uncovered) = ledger::check(log, organization).await?;
        ensure!(tree.size() == uncovered && uncovered == head.position + head.exchange_number);
        for record in log.records(organization, 0, 10_000).await? {
            ensure!(record.payload.starts_with("{\"was\":"), "{record:?}");
        }
        for recorded in log.exchanges(organization, 0, 10_000, Bodies::Read).await? {
            let x = recorded.exchange;
            let subject = x.subject.clone().unwrap_or_default();
            ensure!(subject.ends_with('!') && x.request_body.ends_with(b"!"), "{x:?}");
            let facet = Facet::Subject(&subject);
            let found = log.exchanges_with(organization, facet, Start::Latest, 10_000).await?;
            ensure!(found.iter().any(|found| found.exchange.id == x.id), "{subject}");
        }
    }
    ledger::at_random(log, 6, 60).await
}

#[tokio::test]
async fn a_folder() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let log: Arc<dyn Log> = Arc::new(SqliteLog::open(dir.path())?);
    ensure!(!log.is_of_before().await?, "an empty log of today");
    fill(&log).await?;
    ensure!(!log.is_of_before().await?);
    drop(log);
    let db = rusqlite::Connection::open(dir.path().join("log.db"))?;
    db.pragma_update(None, "user_version", 2)?;
    drop(db);
    let log: Arc<dyn Log> = Arc::new(SqliteLog::open(dir.path())?);
    story(&log).await?;
    // The copy is the log that it was.
    let other = tempfile::tempdir()?;
    std::fs::copy(dir.path().join("log.db.format-2"), other.path().join("log.db"))?;
    let log: Arc<dyn Log> = Arc::new(SqliteLog::open(other.path())?);
    ensure!(log.watch().closed().is_none(), "it is told to be a copy");
    story(&log).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database() -> Result<()> {
    let url = database().await?;
    let connect = || PostgresLog::connect(&url, ConnectOptions::default());
    let log: Arc<dyn Log> = Arc::new(connect().await?);
    fill(&log).await?;
    let mut db = sqlx::PgConnection::connect(&url).await?;
    db.execute("UPDATE rollcall.format SET version = 2 WHERE part = 'log'").await?;
    story(&log).await?;
    // Its tables are those of a fresh one, and the old ones are where they are said to be.
    let columns = "SELECT string_agg(table_name || '.' || column_name || ' ' || data_type, ', ' ORDER BY table_name, column_name) FROM \
        (SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'rollcall') AS c \
        UNION ALL SELECT string_agg(indexdef, ', ' ORDER BY indexdef) FROM pg_indexes WHERE schemaname = 'rollcall' \
        UNION ALL SELECT string_agg(conname, ', ' ORDER BY conname) FROM pg_constraint WHERE connamespace = 'rollcall'::regnamespace";
    let rewritten: Vec<Option<String>> = sqlx::query_scalar(columns).fetch_all(&mut db).await?;
    let kept: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM rollcall_format_2.events WHERE payload::text NOT LIKE '{\"was\"%'",
    )
    .fetch_one(&mut db)
    .await?;
    ensure!(kept > 0);
    let fresh = database().await?;
    drop(PostgresLog::connect(&fresh, ConnectOptions::default()).await?);
    let mut db = sqlx::PgConnection::connect(&fresh).await?;
    let fresh: Vec<Option<String>> = sqlx::query_scalar(columns).fetch_all(&mut db).await?;
    assert_eq!(rewritten, fresh);
    Ok(())
}
