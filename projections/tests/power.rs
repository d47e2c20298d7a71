//! What a loss of power can leave of the embedded store: the log up to what was answered, and of
//! the views any part of what was written after their last flush.
//!
//! A file system that loses what was not flushed is played by putting together the files of
//! different moments. The log is flushed before a commit of the views begins, so a state of the
//! views is only ever left beside a log of the same moment or a later one.

mod support;

use rollcall_domain::log::Log;
use rollcall_domain::sql::{Family, SqlStore};
use rollcall_projections::fold::Folder;
use rollcall_projections::inline::FamilyInline;
use rollcall_projections::schema::Prepared;
use rollcall_sqlite::{SqliteLog, SqliteViews};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use support::*;

/// A database at one moment: its file and its WAL. What is in shared memory is lost with power.
#[derive(Clone)]
struct Moment([Vec<u8>; 2]);

impl Moment {
    fn of(dir: &Path, name: &str) -> Self {
        let read = |suffix| std::fs::read(dir.join(format!("{name}{suffix}"))).unwrap_or_default();
        Self([read(""), read("-wal")])
    }

    fn put(&self, dir: &Path, name: &str) {
        let _ = std::fs::remove_file(dir.join(format!("{name}-shm")));
        for (bytes, suffix) in self.0.iter().zip(["", "-wal"]) {
            std::fs::write(dir.join(format!("{name}{suffix}")), bytes).unwrap();
        }
    }
}

struct Opened {
    world: World,
    folder: Folder,
}

async fn open(dir: &Path) -> Opened {
    let log = SqliteLog::open(dir).unwrap();
    let views = SqliteViews::open(dir, Family::Live).unwrap();
    log.fold_inline(&views, Arc::new(FamilyInline::new(Family::Live)));
    let (log, views): (Arc<dyn Log>, Arc<dyn SqlStore>) = (Arc::new(log), Arc::new(views));
    let folder = Folder::new(Family::Live, log.clone(), views.clone());
    assert_ne!(folder.prepare().await.unwrap(), Prepared::Outdated);
    Opened { world: World::over(log, views), folder }
}

/// After each step both files as they are. In the middle the store is closed and opened, which
/// moves what is in the WALs into the files.
async fn history(dir: &Path) -> Vec<(Moment, Moment)> {
    let mut moments = Vec::new();
    for half in [0, 10] {
        let Opened { world, .. } = open(dir).await;
        let mut note = || moments.push((Moment::of(dir, "log.db"), Moment::of(dir, "views.db")));
        for n in half..half + 3 {
            let name = format!("user{n}@contoso.example");
            assert!(world.user(n, vec![created(&name)]).await.folded);
            note();
        }
        let members = [user(half), user(half + 1)];
        let group = vec![group_created(&format!("Group {half}")), added(&members)];
        assert!(world.group(half, group).await.folded);
        note();
        assert!(world.user(half, vec![changed("title", Some(json!("Chief")))]).await.folded);
        assert!(world.group(half, vec![removed(&members[1..])]).await.folded);
        note();
    }
    moments
}

/// The files are the same ones, as they are after a cut: copies of them would be noticed.
async fn lay(dir: &Path, log: &Moment, views: &Moment) -> Opened {
    log.put(dir, "log.db");
    views.put(dir, "views.db");
    open(dir).await
}

async fn assert_equal(folder: &Folder, what: &str) {
    let status = folder.status().await.unwrap();
    assert!(status.iter().all(|view| view.position == view.head && view.stopped.is_none()));
    assert_eq!(folder.verify().await.unwrap().count, 0, "{what}");
}

#[tokio::test]
async fn whichever_commits_a_cut_leaves_views_are_behind_and_catch_up() {
    let dir = tempfile::tempdir().unwrap();
    let moments = history(dir.path()).await;
    for (i, (log, _)) in moments.iter().enumerate() {
        for (j, (_, views)) in moments.iter().enumerate().take(i + 1) {
            let what = format!("log of moment {i}, views of moment {j}");
            let Opened { world, folder } = lay(dir.path(), log, views).await;
            assert!(folder.ahead().await.unwrap().is_empty(), "{what}");
            let behind: u64 = folder.sweep().await.unwrap().iter().map(|lag| lag.records).sum();
            assert_eq!(behind > 0, i > j, "{what}");
            assert_equal(&folder, &what).await;
            // The next append is folded with it again.
            assert!(world.user(99, vec![created("next@contoso.example")]).await.folded, "{what}");
            assert_equal(&folder, &what).await;
        }
    }
}

/// Without a sweep too: the append finds the views behind, and takes them along.
#[tokio::test]
async fn the_next_append_takes_along_what_a_cut_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    let moments = history(dir.path()).await;
    let (log, _) = &moments[moments.len() - 1];
    for (j, (_, views)) in moments.iter().enumerate() {
        let Opened { world, folder } = lay(dir.path(), log, views).await;
        assert!(world.user(99, vec![created("next@contoso.example")]).await.folded);
        assert_equal(&folder, &format!("views of moment {j}")).await;
    }
}

/// Of a WAL that was not flushed any part may be there, and anything in the place of the rest.
#[tokio::test]
async fn a_torn_wal_of_the_views_leaves_them_behind() {
    let dir = tempfile::tempdir().unwrap();
    let moments = history(dir.path()).await;
    let (log, Moment([file, wal])) = &moments[moments.len() - 1];
    assert!(wal.len() > 20_000, "{} bytes", wal.len());
    let mut positions = std::collections::BTreeSet::new();
    for cut in (0..wal.len()).step_by(wal.len() / 40 + 1) {
        let torn = [wal[..cut].to_vec(), [&wal[..cut], &vec![0xa5; wal.len() - cut]].concat()];
        for wal in torn {
            let Opened { folder, .. } = lay(dir.path(), log, &Moment([file.clone(), wal])).await;
            assert!(folder.ahead().await.unwrap().is_empty(), "cut at {cut}");
            positions.extend(folder.status().await.unwrap().iter().map(|view| view.position));
            folder.sweep().await.unwrap();
            assert_equal(&folder, &format!("cut at {cut}")).await;
        }
    }
    assert!(positions.len() > 3, "cuts that leave different things: {positions:?}");
}

/// No cut leaves this, but a log that was put back does, and a disk that lies about what it has
/// flushed: it is noticed, whatever of the two commits the log lost.
#[tokio::test]
async fn views_that_are_ahead_are_noticed_and_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let moments = history(dir.path()).await;
    for (i, (log, _)) in moments.iter().enumerate() {
        for (j, (_, views)) in moments.iter().enumerate().skip(i + 1) {
            let what = format!("log of moment {i}, views of moment {j}");
            let Opened { folder, .. } = lay(dir.path(), log, views).await;
            let ahead = folder.ahead().await.unwrap();
            assert_eq!(ahead.len(), 1, "{what}");
            assert!(ahead[0].position > ahead[0].head, "{what}");
            folder.rebuild().await.unwrap();
            assert!(folder.ahead().await.unwrap().is_empty(), "{what}");
            assert_equal(&folder, &what).await;
        }
    }
}
