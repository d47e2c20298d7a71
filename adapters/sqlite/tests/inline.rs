//! Two files and one answer: what is left when one of the two commits does not happen.

use async_trait::async_trait;
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::ClaimChanges;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use rollcall_domain::sql::{Family, SqlError, SqlRow, SqlStore as _, SqlTransaction, SqlValue};
use rollcall_sqlite::{SqliteLog, SqliteViews};
use rusqlite::Connection;
use std::error::Error;
use std::sync::Arc;
use uuid::Uuid;

const ONE: OrganizationId = OrganizationId(Uuid::from_u128(1));

/// Keeps the last position.
struct Last;

#[async_trait]
impl InlineFold for Last {
    fn standing(&self, _: OrganizationId) -> String {
        "SELECT position FROM last".to_owned()
    }

    async fn fold(
        &self,
        tx: &mut dyn SqlTransaction,
        _: Vec<SqlRow>,
        _: OrganizationId,
        records: &[Record],
    ) -> Result<Inline, SqlError> {
        let last = records.last().map_or(0, |r| r.position);
        tx.execute("UPDATE last SET position = $1", vec![last.into()]).await?;
        Ok(Inline::Folded)
    }
}

async fn open(dir: &std::path::Path) -> Result<(SqliteLog, SqliteViews), Box<dyn Error>> {
    let views = SqliteViews::open(dir, Family::Live)?;
    let mut tx = views.begin(ONE).await?;
    tx.execute("CREATE TABLE last (position BIGINT NOT NULL)", Vec::new()).await?;
    tx.execute("INSERT INTO last (position) VALUES (0)", Vec::new()).await?;
    tx.commit().await?;
    let log = SqliteLog::open(dir)?;
    log.fold_inline(&views, Arc::new(Last));
    Ok((log, views))
}

async fn last(views: &SqliteViews) -> Result<SqlValue, SqlError> {
    let rows = views.query("SELECT position FROM last", Vec::new()).await?;
    rows.into_iter().flat_map(|r| r.0).next().ok_or_else(|| SqlError::Shape("no row".into()))
}

fn append(expected: Version) -> Append {
    let stream = StreamId { organization: ONE, kind: AggregateKind::User, id: Uuid::from_u128(7) };
    let event = NewEvent {
        event_type: "UserActivated".into(),
        event_version: "1".into(),
        payload: "{}".into(),
    };
    let write = Write {
        stream,
        expected,
        events: vec![event],
        claims: ClaimChanges { release: Vec::new(), take: Vec::new(), require: Vec::new() },
        recorded_at: chrono::DateTime::UNIX_EPOCH,
        actor: Actor::System,
        cause: None,
    };
    Append { organization: ONE, write: Some(write), exchange: None }
}

#[tokio::test]
async fn views_do_not_move_when_the_commit_of_the_log_fails() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let (log, views) = open(dir.path()).await?;
    assert!(log.append(append(0)).await?.folded);
    // From now on each event names a parent that is not there, which shows at the commit.
    let stranger = Connection::open(dir.path().join("log.db"))?;
    stranger.execute_batch(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER orphan AFTER INSERT ON event BEGIN INSERT INTO child VALUES (1); END;",
    )?;
    let refused = log.append(append(1)).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    assert_eq!((log.head(ONE).await?.position, last(&views).await?), (1, 1_i64.into()));
    stranger.execute_batch("DROP TRIGGER orphan")?;
    let appended = log.append(append(1)).await?;
    assert!(appended.folded);
    assert_eq!((appended.head, last(&views).await?), (2, 2_i64.into()));
    Ok(())
}

#[tokio::test]
async fn the_log_is_committed_when_the_views_cannot_be() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let (log, views) = open(dir.path()).await?;
    let stranger = Connection::open(dir.path().join("views.db"))?;
    for version in [0, 2] {
        // Once because somebody writes the file, once because its commit fails.
        match version {
            0 => stranger.execute_batch("BEGIN IMMEDIATE")?,
            _ => stranger.execute_batch(
                "CREATE TABLE parent (id INTEGER PRIMARY KEY);
                 CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
                 CREATE TRIGGER orphan AFTER UPDATE ON last BEGIN INSERT INTO child VALUES (1); END;",
            )?,
        }
        let before = last(&views).await?;
        let appended = log.append(append(version)).await?;
        assert_eq!((appended.head, appended.folded), (version + 1, false));
        assert_eq!(last(&views).await?, before);
        match version {
            0 => stranger.execute_batch("ROLLBACK")?,
            _ => stranger.execute_batch("DROP TRIGGER orphan")?,
        }
        assert!(log.append(append(version + 1)).await?.folded);
        assert_eq!(last(&views).await?, (version + 2).into());
    }
    Ok(())
}
