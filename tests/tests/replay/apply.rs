//! Failed requests once again, for good: as new exchanges that name the old ones.

use crate::replay;
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::scim::user;
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use serde_json::json;

async fn applying_cures_a_failure(world: &mut World) -> Result<()> {
    let old = world.scim.create_user("bo@contoso.example").await?;
    world.scim.post("/Users", &user("Bo@contoso.example")).await?.expect(409)?;
    world.scim.delete(&format!("/Users/{old}")).await?.expect(204)?;
    let kept = world.admin.exchanges("acme").await?;
    let (created, failed) = (kept[0]["id"].as_str().context("id")?, kept[1]["id"].as_str().context("id")?);

    let (code, printed) = replay(world, &["apply", "--exchange", created]).await?;
    let line = &printed["exchanges"][0];
    ensure!(code == 1 && line["result"] == "refused" && line["reason"].as_str().is_some_and(|r| r.contains("--force")), "{printed}");
    ensure!(world.admin.exchanges("acme").await?.len() == kept.len(), "a refused replay left an exchange");

    let (code, printed) = replay(world, &["apply", "--exchange", failed]).await?;
    let line = &printed["exchanges"][0];
    ensure!(code == 0 && line["result"] == "succeeds" && line["now"]["status"] == 201, "exit {code}: {printed}");
    ensure!(line["events"][0]["type"] == "UserCreated", "{line}");
    let new = world.admin.exchanges("acme").await?.pop().context("no exchange")?;
    ensure!(new["id"] == line["submitted_as"] && new["replays"] == failed && new["status"] == 201, "{new}");
    let shown = world.server.cli(&["exchanges", "show", "--org", "acme", new["id"].as_str().context("id")?]).await?;
    ensure!(shown["exchange"]["replays"] == failed && shown["exchange"]["caller"] == json!({"kind": "operator"}), "{shown}");
    let event = world.admin.events_after("acme", 0).await?.pop().context("no event")?;
    ensure!(event["actor"] == json!({"kind": "operator"}) && event["exchange"] == new["id"], "{event}");
    let found = world.scim.get("/Users?filter=userName%20eq%20%22bo%40contoso.example%22").await?.expect_json(200)?;
    ensure!(found["totalResults"] == 1, "{found}");

    // The name is taken now: the same request fails again, and says so.
    let (code, printed) = replay(world, &["apply", "--exchange", failed]).await?;
    ensure!(code == 1 && printed["exchanges"][0]["now"]["scim_type"] == "uniqueness", "exit {code}: {printed}");
    let nothing = world.server.command(&["replay", "apply", "--org", "acme"]).await?;
    ensure!(String::from_utf8_lossy(&nothing.stderr).contains("say what is to be submitted again"), "{nothing:?}");
    // What was submitted by hand is replayed like everything else.
    let (code, printed) = replay(world, &["verify"]).await?;
    ensure!(code == 0 && printed["summary"]["records_differ"] == 0, "exit {code}: {printed}");
    Ok(())
}

#[tokio::test]
async fn applying_cures_a_failure_on_sqlite() {
    on_sqlite(applying_cures_a_failure).await;
}

#[tokio::test]
async fn applying_cures_a_failure_on_postgres() {
    on_postgres(async |world, _| applying_cures_a_failure(world).await).await;
}
