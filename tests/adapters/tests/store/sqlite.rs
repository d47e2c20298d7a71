//! What only SQLite promises: a folder of its own.

use crate::given::*;
use crate::views::only;
use rollcall_domain::log::*;
use rollcall_domain::sql::{Family, SqlStore as _, SqlValue};
use rollcall_sqlite::{DataFolder, OpenError, SqliteLog, SqliteViews};
use std::fs::File;

#[tokio::test]
async fn what_was_answered_is_there_when_opened_again() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let log = SqliteLog::open(dir.path())?;
    log.append(write(user(1), 0, 3).takes(name(1)).exchange(1)).await?;
    let records = log.records(ONE, 0, 10).await?;
    drop(log);
    let log = SqliteLog::open(dir.path())?;
    assert_eq!(log.records(ONE, 0, 10).await?, records);
    assert_eq!(log.holder(&name(1)).await?, Some(user(1)));
    assert!(log.append(bare(ONE, 1)).await?.repeated);
    assert_eq!(log.append(write(user(1), 3, 1)).await?.positions, Some((4, 4)));
    Ok(())
}

#[tokio::test]
async fn a_folder_has_one_owner() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let owner = DataFolder::lock(dir.path())?;
    // Log and views of the owner share its lock; a second owner does not get it.
    let log = SqliteLog::open(dir.path())?;
    let views = SqliteViews::open(dir.path(), Family::Live)?;
    assert!(matches!(DataFolder::lock(dir.path()), Err(OpenError::InUse(_))));
    drop(owner);
    let owner = DataFolder::lock(dir.path())?;
    drop((log, views, owner));
    // Another process is another open file to the system's locks.
    let stranger = File::options().write(true).open(dir.path().join("lock"))?;
    stranger.lock()?;
    assert!(matches!(DataFolder::lock(dir.path()), Err(OpenError::InUse(_))));
    assert!(matches!(SqliteLog::open(dir.path()), Err(OpenError::InUse(_))));
    assert!(matches!(SqliteViews::open(dir.path(), Family::Live), Err(OpenError::InUse(_))));
    stranger.unlock()?;
    SqliteLog::open(dir.path())?;
    Ok(())
}

#[tokio::test]
async fn a_newer_format_is_refused() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    drop(SqliteLog::open(dir.path())?);
    drop(SqliteViews::open(dir.path(), Family::Live)?);
    for (name, format) in [("log.db", 3), ("views.db", 1)] {
        // Bytes 60 to 63 of the file are SQLite's user_version, big-endian.
        let path = dir.path().join(name);
        let mut bytes = std::fs::read(&path)?;
        assert_eq!(bytes[60..64], [0, 0, 0, format]);
        bytes[63] = format + 1;
        std::fs::write(&path, bytes)?;
    }
    assert!(matches!(
        SqliteLog::open(dir.path()),
        Err(OpenError::Newer { found: 4, supported: 3 })
    ));
    assert!(matches!(
        SqliteViews::open(dir.path(), Family::Live),
        Err(OpenError::Newer { found: 2, supported: 1 })
    ));
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    std::fs::write(
        dir.path().join("log.db"),
        "not a database, but long enough to be looked at as one\n".repeat(20),
    )?;
    let opened = SqliteLog::open(dir.path());
    assert!(matches!(opened, Err(OpenError::Database(_) | OpenError::Damaged(_))));
    Ok(())
}

async fn scratch_files(dir: &std::path::Path) -> anyhow::Result<Vec<String>> {
    let names =
        std::fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    Ok(names
        .collect::<anyhow::Result<Vec<_>>>()?
        .into_iter()
        .filter(|name| name.contains("scratch"))
        .collect())
}

#[tokio::test]
async fn a_promoted_scratch_is_there_when_opened_again() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let views = SqliteViews::open(dir.path(), Family::Live)?;
    put(&views, "old").await?;
    let scratch = views.scratch().await?;
    put(&*scratch, "new").await?;
    let exclusive = views.begin_exclusive().await?;
    views.promote(scratch, exclusive).await?;
    assert_eq!(get(&views).await?, "new".into());
    assert_eq!(scratch_files(dir.path()).await?, Vec::<String>::new());
    drop(views);
    let views = SqliteViews::open(dir.path(), Family::Live)?;
    assert_eq!(get(&views).await?, "new".into());
    Ok(())
}

#[tokio::test]
async fn scratch_files_go_with_their_store_or_at_the_next_start() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let views = SqliteViews::open(dir.path(), Family::Live)?;
    let scratch = views.scratch().await?;
    put(&*scratch, "new").await?;
    assert!(!scratch_files(dir.path()).await?.is_empty());
    drop(scratch);
    assert_eq!(scratch_files(dir.path()).await?, Vec::<String>::new());
    drop(views);
    std::fs::write(dir.path().join("views.scratch-9.db-wal"), "left by a crash")?;
    SqliteViews::open(dir.path(), Family::Live)?;
    assert_eq!(scratch_files(dir.path()).await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn families_have_files_of_their_own() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let (live, audit) = (
        SqliteViews::open(dir.path(), Family::Live)?,
        SqliteViews::open(dir.path(), Family::Audit)?,
    );
    put(&live, "live").await?;
    put(&audit, "audit").await?;
    // One writes, and is replaced, while the other is being written.
    let _busy = live.begin(ONE).await?;
    let scratch = audit.scratch().await?;
    put(&*scratch, "new").await?;
    SqliteViews::open(dir.path(), Family::Live)?;
    let exclusive = audit.begin_exclusive().await?;
    audit.promote(scratch, exclusive).await?;
    assert_eq!((get(&live).await?, get(&audit).await?), ("live".into(), "new".into()));
    Ok(())
}

async fn put(views: &dyn rollcall_domain::sql::SqlStore, text: &str) -> anyhow::Result<()> {
    let mut transaction = views.begin(ONE).await?;
    transaction.execute("CREATE TABLE word (word TEXT NOT NULL)", vec![]).await?;
    transaction.execute("INSERT INTO word (word) VALUES ($1)", vec![text.into()]).await?;
    Ok(transaction.commit().await?)
}

async fn get(views: &SqliteViews) -> anyhow::Result<SqlValue> {
    Ok(only(views.query("SELECT word FROM word", vec![]).await?))
}
