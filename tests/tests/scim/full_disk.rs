//! A disk that is full: nothing is taken that cannot be kept, `/readyz` says so, and all is well as
//! soon as there is room.

use anyhow::{Context as _, Result, bail, ensure};
use rollcall_tests::admin::gapless;
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::user;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;
use std::time::Duration;

/// The log's room is looked at whenever somebody asks whether the server is ready.
async fn ready_again(w: &World) -> Result<()> {
    for _ in 0..100 {
        if w.admin.get_anonymous("/readyz").await?.status == 200 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("not ready although there is room: {}", w.admin.get_anonymous("/readyz").await?.text())
}

#[tokio::test]
async fn a_full_disk_is_told_and_forgotten() -> Result<()> {
    let mut w = World::around(Server::start_on_small_disk(Store::Sqlite).await?).await?;
    let ada = w.scim.create_user("ada@contoso.example").await?;
    w.admin.get_anonymous("/readyz").await?.expect(200)?;

    w.server.fill_disk()?;
    for _ in 0..3 {
        let answer = w.scim.post("/Users", &user("bob@contoso.example")).await?;
        ensure!(answer.header("retry-after").is_some(), "{answer:?}");
        refused(answer, 503, None)?;
        // A read is kept as well, or not answered.
        refused(w.scim.get(&format!("/Users/{ada}")).await?, 503, None)?;
        let told = w.admin.get_anonymous("/readyz").await?.expect_json(503)?;
        ensure!(told["ready"] == false && told["log"] != "ok", "{told}");
        w.admin.get_anonymous("/healthz").await?.expect(200)?;
    }
    w.server.still_running()?;

    w.server.free_disk()?;
    ready_again(&w).await?;
    w.scim.get(&format!("/Users/{ada}")).await?.expect(200)?;
    // What was refused left nothing: the name is free.
    w.scim.create_user("bob@contoso.example").await?;
    let events = w.admin.events_after(&w.acme.id, 0).await?;
    gapless(&events, 0)?;
    let created = events.iter().filter(|e| e["type"] == "UserCreated").count();
    ensure!(created == 2, "{created} users were created");
    w.server.cli(&["views", "verify"]).await?;
    let metrics = w.admin.get_anonymous("/metrics").await?.expect(200)?.text();
    let unrecorded = metrics
        .lines()
        .find_map(|l| l.strip_prefix("rollcall_unrecorded_exchanges_total "))
        .context("the metric")?;
    ensure!(
        unrecorded.parse::<u64>()? >= 6 && !metrics.contains("rollcall_panics_total 1"),
        "{metrics}"
    );
    Ok(())
}
