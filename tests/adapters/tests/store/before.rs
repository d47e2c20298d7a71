//! Logs that a version of before left behind: they get their ledger when they are opened.

use crate::fixture::database;
use crate::given::*;
use crate::log::ledger;
use crate::restore::{backup, fill};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use rollcall_postgres::{ConnectOptions, PostgresLog};
use rollcall_sqlite::SqliteLog;
use rusqlite::Connection;
use sqlx::Connection as _;
use sqlx::Executor as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

/// What format 1 did not have.
const SQLITE: &str = "\
    ALTER TABLE event DROP COLUMN leaf; ALTER TABLE exchange DROP COLUMN leaf; \
    ALTER TABLE head DROP COLUMN tree; ALTER TABLE head DROP COLUMN uncovered; \
    ALTER TABLE head DROP COLUMN last_exchange; DROP TABLE identity; PRAGMA user_version = 1";
const POSTGRES: &str = "\
    ALTER TABLE rollcall.events DROP COLUMN leaf; ALTER TABLE rollcall.exchanges DROP COLUMN leaf; \
    ALTER TABLE rollcall.heads DROP COLUMN tree, DROP COLUMN uncovered, DROP COLUMN last_exchange; \
    DROP TABLE rollcall.identity; UPDATE rollcall.format SET version = 1 WHERE part = 'log'";

/// What a log holds, with the leaves that it had from the beginning.
struct Before {
    parts: Vec<Restored>,
    trees: Vec<rollcall_domain::ledger::Frontier>,
}

const OF: [OrganizationId; 3] = [OrganizationId::NONE, ONE, TWO];

async fn before(log: &Arc<dyn Log>) -> anyhow::Result<Before> {
    fill(log).await?;
    ledger::at_random(log, 5, 80).await?;
    let mut trees = Vec::new();
    for organization in OF {
        trees.push(ledger::check(log, organization).await?.0);
    }
    Ok(Before { parts: backup(log).await?, trees })
}

/// The same leaves as if there had always been some, and the remark that there were not.
async fn after(log: &Arc<dyn Log>, before: &Before) -> anyhow::Result<()> {
    assert_eq!(backup(log).await?, before.parts);
    for (organization, tree) in OF.into_iter().zip(&before.trees) {
        let (now, uncovered) = ledger::check(log, organization).await?;
        assert_eq!((&now, uncovered), (tree, tree.size()));
    }
    // What is appended from now on is covered.
    ledger::at_random(log, 6, 60).await?;
    for (organization, tree) in OF.into_iter().zip(&before.trees) {
        let (now, uncovered) = ledger::check(log, organization).await?;
        assert!(now.size() > tree.size(), "{organization}");
        assert_eq!(uncovered, tree.size(), "{organization}");
    }
    Ok(())
}

fn schema(db: &Connection) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    let mut read = db.prepare("SELECT name, sql FROM sqlite_master ORDER BY name")?;
    read.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

#[tokio::test]
async fn a_folder_of_before_is_converted_once_and_a_copy_is_kept() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("log.db");
    let log: Arc<dyn Log> = Arc::new(SqliteLog::open(dir.path())?);
    let held = before(&log).await?;
    drop(log);
    let db = Connection::open(&path)?;
    let fresh = schema(&db)?;
    db.execute_batch(SQLITE)?;
    let of_before = schema(&db)?;
    drop(db);
    // What an attempt left that was killed while it copied.
    let copy = dir.path().join("log.db.format-1");
    std::fs::write(&copy, "half of a copy")?;
    let log: Arc<dyn Log> = Arc::new(SqliteLog::open(dir.path())?);
    after(&log, &held).await?;
    let epoch = log.epoch().await?;
    drop(log);
    assert_eq!(schema(&Connection::open(&path)?)?, fresh);
    assert_eq!(std::fs::metadata(&copy)?.permissions().mode() & 0o777, 0o600);
    assert_eq!(schema(&Connection::open(&copy)?)?, of_before);
    // The copy is a log that the same conversion takes.
    let other = tempfile::tempdir()?;
    std::fs::copy(&copy, other.path().join("log.db"))?;
    let log: Arc<dyn Log> = Arc::new(SqliteLog::open(other.path())?);
    after(&log, &held).await?;
    assert_ne!(log.epoch().await?, epoch, "another log from here on");
    // Opened again, it is what it is.
    let kept = std::fs::metadata(&copy)?.modified()?;
    let log: Arc<dyn Log> = Arc::new(SqliteLog::open(dir.path())?);
    assert_eq!(log.epoch().await?, epoch);
    assert_eq!(std::fs::metadata(&copy)?.modified()?, kept);
    Ok(())
}

#[tokio::test]
async fn a_folder_of_before_that_cannot_be_read_stays_as_it_is() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("log.db");
    let log: Arc<dyn Log> = Arc::new(SqliteLog::open(dir.path())?);
    fill(&log).await?;
    drop(log);
    let db = Connection::open(&path)?;
    db.execute_batch(SQLITE)?;
    db.execute("UPDATE exchange SET document = '{' WHERE rowid = 20", [])?;
    let of_before = schema(&db)?;
    drop(db);
    assert!(SqliteLog::open(dir.path()).is_err());
    let db = Connection::open(&path)?;
    assert_eq!(schema(&db)?, of_before);
    assert_eq!(db.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_before_is_converted_by_whoever_comes_first() -> anyhow::Result<()> {
    let url = database().await?;
    let connect = || PostgresLog::connect(&url, ConnectOptions::default());
    let log: Arc<dyn Log> = Arc::new(connect().await?);
    let held = before(&log).await?;
    // A process of before that goes on while the database is converted.
    let mut old = sqlx::PgConnection::connect(&url).await?;
    old.execute(POSTGRES).await?;
    let (first, second) = tokio::try_join!(connect(), connect())?;
    let (first, second): (Arc<dyn Log>, Arc<dyn Log>) = (Arc::new(first), Arc::new(second));
    after(&first, &held).await?;
    assert_eq!(first.epoch().await?, second.epoch().await?);
    let refused = old
        .execute("INSERT INTO rollcall.exchanges (organization, number, id, after, document, request_body, answer_body) \
                  VALUES (gen_random_uuid(), 1, gen_random_uuid(), 0, '{}', '', '')")
        .await;
    let refused = refused.expect_err("a leaf is missing").to_string();
    assert!(refused.contains("leaf"), "{refused}");
    Ok(())
}
