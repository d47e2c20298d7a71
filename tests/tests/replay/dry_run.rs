//! What would failed requests do now? Nothing is written to find out.

use crate::replay;
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::on_both;
use rollcall_tests::scim::user;
use rollcall_tests::world::World;
use serde_json::json;

async fn a_failure_is_rehearsed(world: &mut World) -> Result<()> {
    let ada = world.scim.create_user("ada@contoso.example").await?;
    let group =
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Staff"});
    let group = world.scim.post("/Groups", &group).await?.expect_json(201)?;
    let group = group["id"].as_str().context("id")?;
    world.scim.post("/Users", &user("ada@contoso.example")).await?.expect(409)?;
    world.scim.get("/Users?filter=nonsense").await?.expect(400)?;
    world.scim.delete(&format!("/Users/{ada}")).await?.expect(204)?;
    let (exchanges, events) =
        (world.admin.exchanges("acme").await?, world.admin.events_after("acme", 0).await?);

    let (code, printed) = replay(world, &["dry-run"]).await?;
    let lines = printed["exchanges"].as_array().context("exchanges")?;
    ensure!(code == 0 && lines.len() == 2, "exit {code}: {printed}");
    let (create, list) = (&lines[0], &lines[1]);
    ensure!(
        create["recorded"]["status"] == 409 && create["now"]["status"] == 201,
        "ada is gone, so her name is free: {create}"
    );
    ensure!(
        create["events"][0]["type"] == "UserCreated" && create["result"] == "succeeds",
        "{create}"
    );
    ensure!(
        list["now"]["status"] == 400 && list["result"] == "fails" && list.get("events").is_none(),
        "{list}"
    );

    // The fork is as the log is now.
    world
        .scim
        .post("/Groups", &json!({"schemas": [], "displayName": "Staff"}))
        .await?
        .expect(409)?;
    world.scim.delete(&format!("/Groups/{group}")).await?.expect(204)?;
    let refused = exchanges[2]["id"].as_str().context("id")?;
    let again = world
        .admin
        .exchanges("acme")
        .await?
        .iter()
        .rev()
        .find(|x| x["operation"] == "groups.create")
        .map(|x| x["id"].clone());
    let again = again.as_ref().and_then(serde_json::Value::as_str).context("no refused group")?;
    let (_, printed) = replay(
        world,
        &["dry-run", "--exchange", refused, "--exchange", again, "--exchange", refused],
    )
    .await?;
    let statuses: Vec<_> = printed["exchanges"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|x| x["now"]["status"].clone())
        .collect();
    ensure!(statuses == [201, 201], "an exchange named twice is one: {printed}");

    let after = (world.admin.exchanges("acme").await?, world.admin.events_after("acme", 0).await?);
    ensure!(
        after.0.len() == exchanges.len() + 2 && after.1.len() == events.len() + 1,
        "a dry run wrote something: {after:?}"
    );
    world.server.cli(&["views", "verify"]).await?;
    Ok(())
}

on_both!(a_failure_is_rehearsed);
