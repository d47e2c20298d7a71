//! What can happen to a data folder.

use super::{accept, is_closed, serves};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::user;
use rollcall_tests::server::{Server, Store, run};
use rollcall_tests::world::World;
use std::fs;
use std::path::Path;
use std::process::Command;

async fn world() -> Result<World> {
    let w = World::new(Store::Sqlite).await?;
    w.scim.create_user("ada@contoso.example").await?;
    Ok(w)
}

fn remove(data: &Path, names: &[&str]) -> Result<()> {
    for name in names {
        for end in ["", "-wal", "-shm"] {
            match fs::remove_file(data.join(format!("{name}{end}"))) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                _ => {}
            }
        }
    }
    Ok(())
}

/// An older log, with whatever is left of what knows better.
#[tokio::test]
async fn an_older_log_that_is_put_back_is_noticed_by_whatever_knows_better() -> Result<()> {
    for lost in [
        &[][..],
        &["log.known"],
        &["views.db", "audit.db"],
        &["log.known", "views.db"],
        &["log.known", "audit.db"],
    ] {
        let mut w = world().await?;
        w.server.terminate().await?;
        let kept = tempfile::tempdir()?;
        fs::copy(w.server.data().join("log.db"), kept.path().join("log.db"))?;
        w.server.restart().await?;
        let bob = w.scim.create_user("bob@contoso.example").await?;
        w.server.cli(&["views", "status"]).await?;
        // The auditors' views, too, have seen it.
        w.server.cli(&["directory", "users", "--org", "acme"]).await?;
        w.server.terminate().await?;

        remove(&w.server.data(), &["log.db"])?;
        fs::copy(kept.path().join("log.db"), w.server.data().join("log.db"))?;
        remove(&w.server.data(), lost)?;
        w.server.restart_unready().await?;
        is_closed(&w, "went-back").await.with_context(|| format!("without {lost:?}"))?;
        // Nobody forgets it by a start.
        w.server.terminate().await?;
        w.server.restart_unready().await?;
        is_closed(&w, "went-back").await?;

        accept(&w.server, &w.admin, "went-back").await?;
        refused(w.scim.get(&format!("/Users/{bob}")).await?, 404, None)?;
        serves(&w, "bob@contoso.example").await?;
        w.server.terminate().await?;
        w.server.restart().await?;
        serves(&w, "carol@contoso.example").await?;
    }
    Ok(())
}

/// The newer log is put back: nothing was lost, and nothing has to be accepted.
#[tokio::test]
async fn a_log_that_was_closed_is_served_again_once_the_right_one_is_back() -> Result<()> {
    let mut w = world().await?;
    w.server.terminate().await?;
    let (log, kept) = (w.server.data().join("log.db"), tempfile::tempdir()?);
    fs::copy(&log, kept.path().join("older"))?;
    w.server.restart().await?;
    let bob = w.scim.create_user("bob@contoso.example").await?;
    w.server.terminate().await?;
    fs::rename(&log, kept.path().join("newer"))?;
    fs::copy(kept.path().join("older"), &log)?;
    w.server.restart_unready().await?;
    is_closed(&w, "went-back").await?;
    w.server.terminate().await?;
    remove(&w.server.data(), &["log.db"])?;
    fs::rename(kept.path().join("newer"), &log)?;
    w.server.restart().await?;
    w.scim.get(&format!("/Users/{bob}")).await?.expect(200)?;
    serves(&w, "carol@contoso.example").await
}

#[tokio::test]
async fn a_folder_that_was_copied_while_it_was_in_use_is_noticed() -> Result<()> {
    let mut w = world().await?;
    let server = w.server.on_a_copy()?;
    w.scim.create_user("bob@contoso.example").await?;
    let mut copy = World {
        scim: w.scim.fresh(),
        admin: rollcall_tests::admin::Admin::new(server.address(), &server.operator_key()?),
        acme: w.acme.clone(),
        server,
    };
    copy.server.restart_unready().await?;
    copy.scim = rollcall_tests::scim::Scim::anonymous(copy.server.address())
        .with_token(w.scim.token().context("a token")?);
    is_closed(&copy, "copied").await?;
    accept(&copy.server, &copy.admin, "copied").await?;
    serves(&copy, "carol@contoso.example").await?;
    // A kill is no copy, and neither is one of a folder that is closed.
    w.server.kill9()?;
    w.server.restart().await?;
    serves(&w, "dan@contoso.example").await?;
    w.server.terminate().await?;
    let mut cold = w.server.on_a_copy()?;
    cold.restart().await?;
    Ok(())
}

#[tokio::test]
async fn a_log_that_was_cut_is_not_served() -> Result<()> {
    let mut w = world().await?;
    for n in 0..40 {
        w.scim.create_user(&format!("user{n}@contoso.example")).await?;
    }
    w.server.terminate().await?;
    let log = w.server.data().join("log.db");
    let whole = fs::read(&log)?;
    for share in [2, 3] {
        fs::write(&log, &whole[..whole.len() * (share - 1) / share])?;
        let data = w.server.data();
        let ended = run(&["serve", "--listen", "127.0.0.1:0", "--data", &data.to_string_lossy()])?;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        ensure!(ended.status.code() == Some(2), "{ended:?}");
        ensure!(said.contains("log.db is damaged"), "{said}");
    }
    // Nothing of it is left: that is another log, with another name.
    fs::write(&log, b"")?;
    w.server.restart_unready().await?;
    is_closed(&w, "another-log").await?;
    w.server.terminate().await?;
    fs::write(&log, &whole)?;
    w.server.restart().await?;
    serves(&w, "zoe@contoso.example").await
}

#[tokio::test]
async fn a_folder_is_locked_also_if_somebody_removes_the_lock() -> Result<()> {
    let w = world().await?;
    fs::remove_file(w.server.data().join("lock"))?;
    let data = w.server.data();
    let second = run(&["serve", "--listen", "127.0.0.1:0", "--data", &data.to_string_lossy()])?;
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    ensure!(second.status.code() == Some(2) && said.contains("in use by another"), "{second:?}");
    serves(&w, "bob@contoso.example").await
}

#[tokio::test]
async fn a_log_that_is_replaced_under_the_running_server_is_noticed_by_the_next_request()
-> Result<()> {
    for put_another in [false, true] {
        let mut w = world().await?;
        let (log, aside) = (w.server.data().join("log.db"), w.server.data().join("aside"));
        fs::rename(&log, &aside)?;
        if put_another {
            fs::copy(&aside, &log)?;
        }
        refused(w.scim.post("/Users", &user("bob@contoso.example")).await?, 503, None)?;
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        is_closed(&w, "replaced").await?;
        let accepted = w.server.command(&["log", "accept", "--because", "why not"]).await?;
        ensure!(accepted.status.code() == Some(3), "{accepted:?}");
        w.server.terminate().await?;
        let back = Command::new("mv").arg("-f").arg(&aside).arg(&log).status()?;
        ensure!(back.success());
        w.server.restart().await?;
        serves(&w, "bob@contoso.example").await?;
    }
    Ok(())
}

/// A data folder that goes with another database than before.
#[tokio::test]
async fn another_database_is_noticed() -> Result<()> {
    let cluster = rollcall_tests::world::start_cluster().await;
    let mut w = World::new(Store::Postgres(cluster.url())).await?;
    serves(&w, "ada@contoso.example").await?;
    w.server.terminate().await?;
    let other = Server::start(Store::Postgres(cluster.create_database()?)).await?;
    let store = other.store().clone();
    drop(other);
    w.server.use_store(store);
    w.server.restart_unready().await?;
    is_closed(&w, "another-log").await?;
    accept(&w.server, &w.admin, "another-log").await?;
    Ok(())
}
