//! Health is what became of requests: each thing that keeps them from being answered has its
//! reason in `/readyz`, its sentence in the log, its metric, and its row in `docs/operating.md`;
//! and is over by itself when it is over.

use anyhow::{Context as _, Result, ensure};
use rollcall_domain::log::{Closed, Trouble};
use rollcall_tests::operating;
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::user;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, on_postgres};
use serde_json::Value;
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::time::{Duration, Instant};

#[test]
fn every_reason_has_its_row() -> Result<()> {
    let troubles = Trouble::ALL.into_iter().map(Trouble::as_str);
    for reason in troubles.chain(["views"]).chain(Closed::WORDS) {
        operating::row(reason)?;
    }
    Ok(())
}

/// Where a reason is to be found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Everywhere,
    NotInTheLog,
}

/// A write fails, and the server says why.
async fn says(w: &World, reason: &str, told_in: Told) -> Result<()> {
    let answer = w.scim.fresh().post("/Users", &user(&format!("{reason}@contoso.example"))).await?;
    refused(answer, 503, None)?;
    let told = w.admin.get_anonymous("/readyz").await?.expect_json(503)?;
    let reasons = told["reasons"].as_array().context("reasons")?;
    let said = reasons.iter().find(|said| said["reason"] == reason);
    let sentence = said.with_context(|| format!("{reason} is not in {told}"))?["detail"].clone();
    operating::row(reason)?;
    // Once a second.
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let metrics = w.admin.get_anonymous("/metrics").await?.expect(200)?.text();
        let log = std::fs::read_to_string(w.server.log_file())?;
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut lines = lines.filter(|line| line["fields"]["reason"] == reason);
        if metrics.contains(&format!("rollcall_trouble{{reason=\"{reason}\"}} 1"))
            && (told_in == Told::NotInTheLog
                || lines.any(|line| line["fields"]["message"] == sentence))
        {
            break;
        }
        ensure!(Instant::now() < deadline, "neither metric nor log say {reason}: {sentence}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    w.admin.get_anonymous("/healthz").await?.expect(200).map(drop)
}

/// It is over, without a hand.
async fn is_well(w: &World) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let told = w.admin.get_anonymous("/readyz").await?;
        if told.status == 200 {
            break;
        }
        ensure!(Instant::now() < deadline, "it is over, and not ready: {}", told.text());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let answer = w.scim.fresh().post("/Users", &user("bob@contoso.example")).await?;
    // What was in the log already, and could not be shown, is found done.
    ensure!([201, 409].contains(&answer.status), "{}", answer.text());
    w.server.cli(&["views", "verify"]).await?;
    Ok(())
}

#[tokio::test]
async fn of_a_data_folder() -> Result<()> {
    let w = World::around(Server::start_on_small_disk(Store::Sqlite).await?).await?;
    w.scim.create_user("ada@contoso.example").await?;
    w.server.fill_disk()?;
    // What the system says of a limit on files is no full disk to SQLite; and nothing comes into
    // the log of the server.
    says(&w, "disk-failing", Told::NotInTheLog).await?;
    w.server.free_disk()?;
    is_well(&w).await?;

    // Somebody else has the file, as a backup program or a shell may.
    for (file, reason) in [("log.db", "locked"), ("views.db", "views")] {
        let other = rusqlite::Connection::open(w.server.data().join(file))?;
        other.execute_batch("BEGIN IMMEDIATE")?;
        says(&w, reason, Told::Everywhere).await?;
        other.execute_batch("ROLLBACK")?;
        is_well(&w).await?;
    }
    Ok(())
}

#[tokio::test]
async fn of_a_database() {
    on_postgres(async |w, cluster| {
        w.scim.create_user("ada@contoso.example").await?;
        cluster.sql("ALTER DATABASE rollcall SET default_transaction_read_only = on")?;
        cluster.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'rollcall'",
        )?;
        says(w, "read-only", Told::Everywhere).await?;
        cluster.sql("ALTER DATABASE rollcall SET default_transaction_read_only = off")?;
        cluster.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'rollcall'",
        )?;
        is_well(w).await?;

        let mut other = PgConnection::connect(&cluster.url()).await?;
        other.execute("BEGIN; LOCK TABLE rollcall.heads IN EXCLUSIVE MODE").await?;
        says(w, "locked", Told::Everywhere).await?;
        other.execute("ROLLBACK").await?;
        is_well(w).await?;

        cluster.stop()?;
        says(w, "away", Told::Everywhere).await?;
        cluster.start_again()?;
        is_well(w).await
    })
    .await;
}
