//! A log that a version wrote which sealed nothing: it is sealed where it lies, once, all or nothing.

use crate::in_the_clear;
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::person::{WORDS, assert_nowhere, live, nowhere_in_schemas, shown};
use rollcall_tests::scim::Scim;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

/// What such a version leaves behind: nothing sealed, no keys, the format of before.
const SQLITE: &str = "DELETE FROM data_keys; DELETE FROM organization_keys;";
const POSTGRES: &str = "UPDATE rollcall.format SET version = 2 WHERE part = 'log'; \
    DELETE FROM rollcall.notes WHERE name LIKE 'last-data-key/%'; \
    DELETE FROM rollcall_side.data_keys; DELETE FROM rollcall_side.organization_keys";

/// Makes a log of today what such a version left.
pub async fn as_before(w: &World, database: Option<&str>) -> Result<()> {
    in_the_clear::leave(w, database).await?;
    let data = w.server.data();
    match database {
        None => {
            rusqlite::Connection::open(data.join("side.db"))?.execute_batch(SQLITE)?;
            let log = rusqlite::Connection::open(data.join("log.db"))?;
            log.execute_batch("PRAGMA user_version = 2; DELETE FROM note WHERE name LIKE 'last-data-key/%'; PRAGMA wal_checkpoint(TRUNCATE)")?;
        }
        Some(url) => {
            PgConnection::connect(url).await?.execute(POSTGRES).await?;
        }
    }
    Ok(())
}

/// Somebody's life, and what an auditor kept of the ledger; then the server is stopped, and the log
/// is as if nothing had ever been sealed.
async fn given(w: &mut World, heads: &str, database: Option<&str>) -> Result<String> {
    let id = live(w).await?;
    // So many that there is something to be killed in the middle of.
    for n in 0..60 {
        w.scim.create_user(&format!("nobody{n}@x.example")).await?;
    }
    ensure!(audited(w, heads).await? == (Some(0), None));
    ensure!(w.server.terminate().await?.success(), "the server did not stop");
    as_before(w, database).await?;
    match database {
        None => {
            let log = std::fs::read(w.server.data().join("log.db"))?;
            ensure!(assert_nowhere("it", &log).is_err(), "nothing is in the clear");
        }
        Some(url) => {
            let found = nowhere_in_schemas(url, &["rollcall"]).await;
            ensure!(found.is_err(), "nothing is in the clear");
        }
    }
    Ok(id)
}

/// How an auditor's audit ends, and what it finds first.
async fn audited(w: &World, heads: &str) -> Result<(Option<i32>, Option<String>)> {
    let told = w.server.command(&["ledger", "audit", "--org", "acme", "--heads", heads]).await?;
    let said: serde_json::Value = serde_json::from_slice(&told.stdout)
        .with_context(|| String::from_utf8_lossy(&told.stderr).into_owned())?;
    let found = said["findings"][0]["kind"].as_str().map(str::to_owned);
    Ok((told.status.code(), found))
}

/// What holds once it is sealed, on each process.
async fn sealed(w: &World, heads: &str, id: &str) -> Result<()> {
    shown(w, id).await?;
    // Whoever kept a checkpoint hears that it is of another format, and not that somebody was there.
    ensure!(audited(w, heads).await? == (Some(1), Some("another_format".into())));
    std::fs::remove_dir_all(heads)?;
    ensure!(audited(w, heads).await? == (Some(0), None));
    w.scim.create_user("after@x.example").await?;
    ensure!(audited(w, heads).await? == (Some(0), None));
    Ok(())
}

async fn epoch(w: &World) -> Result<String> {
    let said = w.server.cli(&["log", "show"]).await?;
    ensure!(said["closed"].is_null(), "{said}");
    Ok(said["epoch"].as_str().context("an epoch")?.to_owned())
}

/// Starts and kills the server, each time a little later.
async fn kill_at_its_start(server: &mut Server) -> Result<()> {
    for n in 0..6 {
        server.spawn()?;
        tokio::time::sleep(Duration::from_millis(20 + 25 * n)).await;
        server.kill9()?;
    }
    Ok(())
}

fn files_of(data: &Path, but: &str) -> Result<u64> {
    let mut searched = 0;
    for file in std::fs::read_dir(data)? {
        let file = file?;
        let name = file.file_name().into_string().ok().context("a name")?;
        // Views are what answers, and in the clear; and this one is left for the operator.
        let is_view = name.starts_with("views") || name.starts_with("audit");
        if file.file_type()?.is_file() && !is_view && name != but {
            let bytes = std::fs::read(file.path())?;
            searched += bytes.len() as u64;
            assert_nowhere(&name, &bytes)?;
        }
    }
    Ok(searched)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_folder_in_the_clear_is_sealed_once() {
    on_sqlite(async |w| {
        let folder = tempfile::tempdir()?;
        let heads = folder.path().join("heads").to_string_lossy().into_owned();
        let before = epoch(w).await?;
        let id = given(w, &heads, None).await?;
        kill_at_its_start(&mut w.server).await?;
        w.server.restart().await?;
        sealed(w, &heads, &id).await?;
        let after = epoch(w).await?;
        ensure!(after != before, "the log has its epoch of before");
        let copy = w.server.data().join("log.db.format-2");
        ensure!(w.server.log_tail(1_000).contains("log.db.format-2"), "nobody is told of the copy");
        ensure!(std::fs::metadata(&copy)?.permissions().mode() & 0o777 == 0o600);
        let words = std::fs::read(&copy)?;
        ensure!(words.windows(WORDS[0].len()).any(|part| part == WORDS[0].as_bytes()));
        ensure!(files_of(&w.server.data(), "log.db.format-2")? > 100_000);
        // Once is enough: what is sealed stays as it is, and the copy may go.
        std::fs::remove_file(&copy)?;
        ensure!(w.server.terminate().await?.success());
        w.server.restart().await?;
        ensure!(epoch(w).await? == after && !copy.exists());
        shown(w, &id).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_in_the_clear_is_sealed_by_whoever_comes_first() {
    on_postgres(async |w, cluster| {
        let folder = tempfile::tempdir()?;
        let heads = folder.path().join("heads").to_string_lossy().into_owned();
        let url = cluster.url();
        let id = given(w, &heads, Some(&url)).await?;
        kill_at_its_start(&mut w.server).await?;
        w.server.spawn()?;
        let second = Server::start(Store::Postgres(url.clone()));
        let (first, second) = tokio::join!(w.server.ready(), second);
        first?;
        sealed(w, &heads, &id).await?;
        let second = second?;
        let token = w.scim.token().context("a token")?;
        let there = Scim::anonymous(second.address()).with_token(token);
        ensure!(there.get(&format!("/Users/{id}")).await?.expect_json(200)?["userName"] == WORDS[0]);
        there.create_user("there@x.example").await?;
        let mut db = PgConnection::connect(&url).await?;
        let copied: i64 =
            sqlx::query_scalar("SELECT count(*) FROM rollcall_format_2.events WHERE payload::text LIKE '%' || $1 || '%'")
                .bind(WORDS[0])
                .fetch_one(&mut db)
                .await?;
        ensure!(copied > 0, "the log as it was is not there");
        db.execute("DROP SCHEMA rollcall_format_2 CASCADE").await?;
        ensure!(nowhere_in_schemas(&url, &["rollcall", "rollcall_side"]).await? > 100);
        w.server.cli(&["views", "rebuild"]).await?;
        shown(w, &id).await
    })
    .await;
}
