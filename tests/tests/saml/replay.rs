//! An assertion is used once: by anybody, at any process, before and after a crash.

use crate::browser::{Browser, code};
use crate::story::{APP, FLAGS, Story, ada, tell};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::start_cluster;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Logins by outcome.
async fn outcomes(server: &Server) -> Result<Vec<String>> {
    let all = server.cli(&["logins", "list", "--org", "acme"]).await?;
    let outcome =
        |l: &Value| l["reason"].as_str().or(l["outcome"].as_str()).unwrap_or_default().to_owned();
    Ok(all.as_array().into_iter().flatten().rev().map(outcome).collect())
}

#[tokio::test]
async fn the_same_response_again_is_refused() {
    tell(async |s| {
        let response = s.idp.sign_in(None, &ada(), &json!({})).await?;
        let mut first = s.browser();
        first.answer(&response).await?.expect(303)?;
        ensure!(code(&s.browser().answer(&response).await?.expect(403)?)? == "replayed");
        // Who reloads the answer that signed them in goes on, and nothing is done again.
        let reload = first.answer(&response).await?.expect(303)?;
        ensure!(reload.header("location") == Some(APP), "{:?}", reload.headers);
        ensure!(reload.header("set-cookie").is_none(), "another session");
        first.session().await?.expect(200)?;
        ensure!(outcomes(&s.world.server).await? == ["accepted", "replayed"]);
        // Not after the session is over.
        s.world.server.cli(&["sessions", "end", "--org", "acme", "--all"]).await?;
        ensure!(code(&first.answer(&response).await?.expect(403)?)? == "replayed");
        // One request is answered once, also with another assertion.
        let mut browser = s.browser();
        let request = browser.begin("/saml/acme/login").await?;
        let one = s.idp.sign_in(Some(&request), &ada(), &json!({})).await?;
        let two = s.idp.sign_in(Some(&request), &ada(), &json!({})).await?;
        let mut kept = browser.clone();
        browser.answer(&one).await?.expect(303)?;
        ensure!(code(&kept.answer(&two).await?.expect(403)?)? == "request-answered");
        s.world.server.cli(&["views", "verify"]).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn many_at_once_with_the_same_response_get_one_session() {
    tell(async |s| {
        let response = s.idp.sign_in(None, &ada(), &json!({})).await?;
        let tries = (0..8).map(|_| {
            let (mut browser, response) = (s.browser(), response.clone());
            tokio::spawn(async move { browser.answer(&response).await.map(|a| a.status) })
        });
        let mut accepted = 0;
        for tried in tries.collect::<Vec<_>>() {
            let status = tried.await??;
            ensure!(status == 303 || status == 403, "{status}");
            accepted += usize::from(status == 303);
        }
        ensure!(accepted == 1, "{accepted} sessions from one assertion");
        Ok(())
    })
    .await;
}

/// The browser never hears of the session that began; the assertion stays used all the same.
#[tokio::test]
async fn a_crash_between_the_login_and_its_answer_records_it_once() {
    tell(async |s| {
        let response = s.idp.sign_in(None, &ada(), &json!({})).await?;
        let posted = {
            let (mut browser, response) = (s.browser(), response.clone());
            tokio::spawn(async move { browser.answer(&response).await.map(|a| a.status) })
        };
        // As soon as the login is in the log, and whether or not the answer is on its way.
        let log = s.world.server.data().join("log.db");
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_recorded(&log)? {
            ensure!(Instant::now() < deadline, "the login did not come into the log");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        s.world.server.kill9()?;
        let _ = posted.await?;
        s.world.server.restart().await?;
        ensure!(outcomes(&s.world.server).await? == ["accepted"]);
        ensure!(code(&s.browser().answer(&response).await?.expect(403)?)? == "replayed");
        ensure!(outcomes(&s.world.server).await? == ["accepted", "replayed"]);
        s.world.server.cli(&["views", "verify"]).await?;
        Ok(())
    })
    .await;
}

fn is_recorded(log: &std::path::Path) -> Result<bool> {
    let db =
        rusqlite::Connection::open_with_flags(log, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let sql = "SELECT EXISTS (SELECT 1 FROM event WHERE event_type = 'UserSignedIn')";
    Ok(db.query_row(sql, [], |row| row.get(0))?)
}

#[tokio::test]
async fn a_second_process_on_the_same_database_refuses_what_the_first_accepted() {
    let cluster = start_cluster().await;
    let run = async {
        let s = Story::begin(Store::Postgres(cluster.url())).await?;
        let key = s.world.server.data().join("deployment.key");
        let key = key.to_str().context("a path")?.to_owned();
        let flags = [&FLAGS[..], &["--deployment-key-file", &key]].concat();
        let second =
            Server::start_with(Store::Postgres(cluster.url()), &std::env::temp_dir(), &flags)
                .await?;
        s.world.server.cli(&["saml", "certificate", "generate", "--org", "acme"]).await?;
        // Begun at one process, answered at the other, a session in both.
        let mut browser = s.browser();
        let request = browser.begin("/saml/acme/login").await?;
        let response = s.idp.sign_in(Some(&request), &ada(), &json!({})).await?;
        let mut there = browser.at(second.address());
        there.answer(&response).await?.expect(303)?;
        there.at(s.world.server.address()).session().await?.expect(200)?;
        // Used at one, refused at the other.
        ensure!(code(&browser.answer(&response).await?.expect(403)?)? == "replayed");
        let unsolicited = s.idp.sign_in(None, &ada(), &json!({})).await?;
        Browser::new(s.world.server.address()).answer(&unsolicited).await?.expect(303)?;
        ensure!(
            code(&Browser::new(second.address()).answer(&unsolicited).await?.expect(403)?)?
                == "replayed"
        );
        // SCIM at one ends the sessions at the other.
        s.deactivate().await?;
        there.session().await?.expect(401)?;
        anyhow::Ok(())
    };
    if let Err(e) = run.await {
        panic!("the story failed: {e:#}");
    }
}

/// What another process sealed cannot be used with a deployment key of one's own.
#[tokio::test]
async fn a_process_with_a_deployment_key_of_its_own_does_not_start_beside_another() {
    let cluster = start_cluster().await;
    let run = async {
        let store = || Store::Postgres(cluster.url());
        // While nothing is sealed there is nothing to notice; a process that runs by then keeps
        // nothing of an organization, and says why.
        let early = Server::start_of_its_own(store(), &FLAGS).await?;
        let s = Story::begin(store()).await?;
        s.world.server.cli(&["saml", "certificate", "generate", "--org", "acme"]).await?;
        Browser::new(early.address()).get("/saml/acme/login").await?.expect(503)?;
        let told = early.log_tail(50);
        ensure!(told.contains("--deployment-key-file"), "{told}");
        Browser::new(s.world.server.address()).get("/saml/acme/login").await?.expect(303)?;
        let folder = tempfile::tempdir()?;
        let key = folder.path().join("other.key");
        let named =
            [&FLAGS[..], &["--deployment-key-file", key.to_str().context("a path")?]].concat();
        for flags in [&FLAGS[..], &named] {
            let alone = Server::start_of_its_own(store(), flags).await;
            let told = format!("{:#}", alone.err().context("another deployment started")?);
            ensure!(told.contains("--deployment-key-file"), "{told}");
        }
        let of_the_first = s.world.server.cli(&["saml", "show", "--org", "acme"]).await?;
        ensure!(!of_the_first["warnings"].to_string().contains("deployment key"), "{of_the_first}");
        anyhow::Ok(())
    };
    if let Err(e) = run.await {
        panic!("the story failed: {e:#}");
    }
}
