//! Failed requests once again, for good: as new exchanges that name the old ones.

use crate::replay;
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::on_both;
use rollcall_tests::scim::user;
use rollcall_tests::world::World;
use serde_json::{Value, json};

async fn applying_cures_a_failure(world: &mut World) -> Result<()> {
    let old = world.scim.create_user("bo@contoso.example").await?;
    world.scim.post("/Users", &user("Bo@contoso.example")).await?.expect(409)?;
    world.scim.delete(&format!("/Users/{old}")).await?.expect(204)?;
    let kept = world.admin.exchanges("acme").await?;
    let (created, failed) =
        (kept[0]["id"].as_str().context("id")?, kept[1]["id"].as_str().context("id")?);

    let (code, printed) = replay(world, &["apply", "--exchange", created]).await?;
    let line = &printed["exchanges"][0];
    ensure!(
        code == 1
            && line["result"] == "refused"
            && line["reason"].as_str().is_some_and(|r| r.contains("--force")),
        "{printed}"
    );
    ensure!(
        world.admin.exchanges("acme").await?.len() == kept.len(),
        "a refused replay left an exchange"
    );

    let (code, printed) = replay(world, &["apply", "--exchange", failed]).await?;
    let line = &printed["exchanges"][0];
    ensure!(
        code == 0 && line["result"] == "succeeds" && line["now"]["status"] == 201,
        "exit {code}: {printed}"
    );
    ensure!(line["events"][0]["type"] == "UserCreated", "{line}");
    let new = world.admin.exchanges("acme").await?.pop().context("no exchange")?;
    ensure!(
        new["id"] == line["submitted_as"] && new["replays"] == failed && new["status"] == 201,
        "{new}"
    );
    let shown = world
        .server
        .cli(&["exchanges", "show", "--org", "acme", new["id"].as_str().context("id")?])
        .await?;
    ensure!(
        shown["exchange"]["replays"] == failed
            && shown["exchange"]["caller"] == json!({"kind": "operator"}),
        "{shown}"
    );
    let event = world.admin.events_after("acme", 0).await?.pop().context("no event")?;
    ensure!(
        event["actor"] == json!({"kind": "operator"}) && event["exchange"] == new["id"],
        "{event}"
    );
    let found = world
        .scim
        .get("/Users?filter=userName%20eq%20%22bo%40contoso.example%22")
        .await?
        .expect_json(200)?;
    ensure!(found["totalResults"] == 1, "{found}");

    // What came to be in the meantime is not made again; by force the same request fails, and says
    // so.
    let (code, printed) = replay(world, &["apply", "--exchange", failed]).await?;
    let line = &printed["exchanges"][0];
    let reason = line["reason"].as_str().unwrap_or_default();
    ensure!(code == 1 && line["result"] == "refused", "exit {code}: {printed}");
    ensure!(
        reason
            .contains(&format!("exchange {} created it since", new["id"].as_str().context("id")?)),
        "{reason}"
    );
    let (code, printed) = replay(world, &["apply", "--exchange", failed, "--force"]).await?;
    ensure!(
        code == 1 && printed["exchanges"][0]["now"]["scim_type"] == "uniqueness",
        "exit {code}: {printed}"
    );
    let nothing = world.server.command(&["replay", "apply", "--yes", "--org", "acme"]).await?;
    ensure!(
        String::from_utf8_lossy(&nothing.stderr).contains("say what is to be submitted again"),
        "{nothing:?}"
    );
    // What was submitted by hand is replayed like everything else.
    let (code, printed) = replay(world, &["verify"]).await?;
    ensure!(code == 0 && printed["summary"]["records_differ"] == 0, "exit {code}: {printed}");
    Ok(())
}

on_both!(applying_cures_a_failure);

fn named(name: &str) -> Value {
    json!([{"op": "replace", "path": "displayName", "value": name}])
}

/// While the connection is switched off, requests fail that would succeed later.
async fn what_a_later_change_has_overtaken_is_refused(world: &mut World) -> Result<()> {
    let (ada, bo) = (
        world.scim.create_user("ada@contoso.example").await?,
        world.scim.create_user("bo@contoso.example").await?,
    );
    let (of_ada, of_bo) = (format!("/Users/{ada}"), format!("/Users/{bo}"));
    world.server.cli(&["scim", "disable", "--org", "acme"]).await?;
    world.scim.operations(&of_ada, named("Ada, first")).await?.expect(503)?;
    for name in ["Bo, first", "Bo, second"] {
        world.scim.operations(&of_bo, named(name)).await?.expect(503)?;
    }
    world.server.cli(&["scim", "enable", "--org", "acme", "--allow-scim-without-sso"]).await?;
    let newer = world.scim.operations(&of_ada, named("Ada, newer")).await?.expect(200)?;
    let newer = newer.header("exchange-id").context("exchange")?.to_owned();

    let (code, printed) = replay(world, &["apply", "--failed"]).await?;
    let lines = printed["exchanges"].as_array().context("exchanges")?;
    let results: Vec<&str> = lines.iter().filter_map(|l| l["result"].as_str()).collect();
    ensure!(code == 1 && results == ["refused", "succeeds", "succeeds"], "exit {code}: {printed}");
    let reason = lines[0]["reason"].as_str().unwrap_or_default();
    ensure!(
        reason.contains(&format!("exchange {newer} has written to the same resource since"))
            && reason.contains("--force"),
        "{reason}"
    );
    let name = async |world: &World, path: &str| {
        anyhow::Ok(world.scim.get(path).await?.expect_json(200)?["displayName"].clone())
    };
    ensure!(name(world, &of_ada).await? == "Ada, newer", "the newer change was undone");
    ensure!(
        name(world, &of_bo).await? == "Bo, second",
        "what was submitted again was submitted in another order"
    );

    // Once is enough, and the first of the two would undo the second now.
    let head = world.admin.exchanges("acme").await?.len();
    let (code, printed) = replay(world, &["apply", "--failed"]).await?;
    let reasons: Vec<&str> = printed["exchanges"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|l| l["reason"].as_str())
        .collect();
    ensure!(code == 1 && reasons.len() == 3, "exit {code}: {printed}");
    ensure!(reasons[1..].iter().all(|r| r.contains("submitted again already")), "{reasons:?}");
    ensure!(
        world.admin.exchanges("acme").await?.len() == head,
        "a refused replay left an exchange"
    );

    // Who knows better may force it.
    let old = lines[0]["id"].as_str().context("id")?;
    let (code, printed) = replay(world, &["apply", "--exchange", old, "--force"]).await?;
    ensure!(code == 0 && printed["exchanges"][0]["result"] == "succeeds", "exit {code}: {printed}");
    ensure!(name(world, &of_ada).await? == "Ada, first", "forced, and nothing happened");
    Ok(())
}

on_both!(what_a_later_change_has_overtaken_is_refused);
