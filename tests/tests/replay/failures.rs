//! What went wrong and is not yet right: by subject and cause, with what cured it.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::corpus::player::play_all;
use rollcall_tests::on_both;
use rollcall_tests::scim::{add_members, user};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn failures(world: &World, args: &[&str]) -> Result<Vec<Value>> {
    let listed = world.server.cli(&[&["failures", "list", "--org", "acme"], args].concat()).await?;
    listed.as_array().cloned().context("no list")
}

/// Somebody else of the same name.
fn namesake(name: &str) -> Value {
    let mut body = user(name);
    body["title"] = json!("Somebody else");
    body
}

fn causes(failures: &[Value]) -> Vec<&str> {
    failures.iter().filter_map(|f| f["cause"].as_str()).collect()
}

async fn failures_come_and_go(world: &mut World) -> Result<()> {
    let scim = &world.scim;
    ensure!(failures(world, &[]).await?.is_empty(), "nothing went wrong yet");
    // Three times the same name, once in other letters: one failure, met three times.
    let holder = scim.create_user("ada@contoso.example").await?;
    for name in ["ada@contoso.example", "ADA@contoso.example", "ada@contoso.example"] {
        scim.post("/Users", &namesake(name)).await?.expect(409)?;
    }
    let open = failures(world, &[]).await?;
    ensure!(
        causes(&open) == ["name-taken"] && open[0]["count"] == 3 && open[0]["state"] == "open",
        "{open:?}"
    );
    ensure!(
        open[0]["next_step"].as_str().is_some_and(|n| n.contains("holder"))
            && open[0]["next_step_in"] == "entra",
        "{open:?}"
    );
    // The holder goes, the creation comes again: cured by exactly that exchange.
    scim.delete(&format!("/Users/{holder}")).await?.expect(204)?;
    let cured = scim.post("/Users", &user("ada@contoso.example")).await?;
    let by = cured.header("exchange-id").context("exchange")?.to_owned();
    ensure!(failures(world, &[]).await?.is_empty(), "it is right now");
    let all = failures(world, &["--cured"]).await?;
    ensure!(
        all.len() == 1 && all[0]["state"] == "cured" && all[0]["cured_by"] == by.as_str(),
        "{all:?}"
    );
    // A member that is not there: adding another one cures nothing, adding it does.
    let group = scim.create_group("Staff").await?;
    let other = scim.create_user("bo@contoso.example").await?;
    let bo = "00000000-0000-4000-8000-000000000001";
    scim.operations(&format!("/Groups/{group}"), add_members(&[bo])).await?.expect(400)?;
    scim.operations(&format!("/Groups/{group}"), add_members(&[&other])).await?.expect(204)?;
    let open = failures(world, &["--subject", &group]).await?;
    ensure!(causes(&open) == ["member-unknown"] && open[0]["needs"] == bo, "{open:?}");
    let shown = world
        .server
        .cli(&["failures", "show", "--org", "acme", open[0]["id"].as_str().context("id")?])
        .await?;
    ensure!(shown["explanation"] == "a member of the group is not provisioned", "{shown}");
    // One that is named by no id cannot be looked for: nothing but the same request, or the end of
    // the group, cures that.
    scim.operations(&format!("/Groups/{group}"), add_members(&["nobody"])).await?.expect(400)?;
    let open = failures(world, &["--subject", &group]).await?;
    ensure!(
        causes(&open) == ["member-unknown", "member-unknown"]
            && open[0]["needs"].is_null()
            && open[1]["needs"] == bo,
        "{open:?}"
    );
    scim.operations(&format!("/Groups/{group}"), add_members(&[&other])).await?.expect(204)?;
    let open = failures(world, &["--subject", &group]).await?;
    ensure!(causes(&open) == ["member-unknown"; 2] && open[1]["needs"] == bo, "{open:?}");
    let mut guests = rollcall_tests::scim::group("Guests");
    guests["members"] = json!([{ "value": bo }]);
    scim.post("/Groups", &guests).await?.expect(400)?;
    ensure!(
        causes(&failures(world, &[]).await?) == ["member-unknown"; 3],
        "{:?}",
        failures(world, &[]).await?
    );
    let guests = scim.create_group("Guests").await?;
    ensure!(
        causes(&failures(world, &[]).await?) == ["member-unknown"; 2],
        "{:?}",
        failures(world, &[]).await?
    );
    scim.delete(&format!("/Groups/{guests}")).await?.expect(204)?;
    // A deletion leaves nothing to be wrong.
    scim.operations(
        &format!("/Users/{other}"),
        json!([{"op": "add", "path": "shoeSize", "value": 44}]),
    )
    .await?
    .expect(400)?;
    ensure!(
        causes(&failures(world, &["--subject", &other]).await?) == ["attribute-unknown"],
        "the mapping is wrong"
    );
    scim.delete(&format!("/Users/{other}")).await?.expect(204)?;
    scim.delete(&format!("/Groups/{group}")).await?.expect(204)?;
    // That somebody who reads, or deletes, finds nothing is no failure.
    scim.get(&format!("/Users/{other}")).await?.expect(404)?;
    scim.delete(&format!("/Users/{other}")).await?.expect(404)?;
    ensure!(failures(world, &[]).await?.is_empty(), "{:?}", failures(world, &[]).await?);
    // Whoever reads while the connection is switched off has nothing to do again: it is one
    // failure, whatever was asked for, and the first request that is served cures it.
    world.server.cli(&["scim", "disable", "--org", "acme"]).await?;
    for query in ["filter=userName%20eq%20%22a%22", "filter=userName%20eq%20%22b%22"] {
        scim.get(&format!("/Users?{query}")).await?.expect(503)?;
    }
    world.server.cli(&["scim", "enable", "--org", "acme"]).await?;
    let open = failures(world, &[]).await?;
    ensure!(causes(&open) == ["switched-off"] && open[0]["count"] == 2, "{open:?}");
    scim.get("/Groups").await?.expect(200)?;
    ensure!(failures(world, &[]).await?.is_empty(), "{:?}", failures(world, &[]).await?);
    // Requests without a known token belong to nobody, and are told apart from all others.
    scim.with_token("wrong").get("/Users").await?.expect(401)?;
    let listed = ["exchanges", "list", "--org", "none", "--failed"];
    let strangers = world.server.cli(&listed).await?;
    ensure!(strangers[0]["status"] == 401, "{strangers}");
    let failures = world.server.command(&["failures", "list", "--org", "none"]).await?;
    ensure!(!failures.status.success(), "what is in no log can be told from no log");
    world.server.cli(&["views", "verify"]).await?;
    Ok(())
}

on_both!(failures_come_and_go);

fn disable() -> Value {
    json!([{"op": "Replace", "path": "active", "value": "False"}])
}

fn remove_members(ids: &[&str]) -> Value {
    let value: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
    json!([{"op": "Remove", "path": "members", "value": value}])
}

/// While SCIM is switched off, these all are refused; it is on again afterwards.
async fn refused(world: &World, requests: &[(&str, String, Value)]) -> Result<()> {
    world.server.cli(&["scim", "disable", "--org", "acme"]).await?;
    for (method, path, body) in requests {
        match *method {
            "POST" => world.scim.post(path, body).await?,
            "DELETE" => world.scim.delete(path).await?,
            _ => world.scim.operations(path, body.clone()).await?,
        }
        .expect(503)?;
    }
    world.server.cli(&["scim", "enable", "--org", "acme"]).await?;
    Ok(())
}

async fn a_failure_is_over_when_what_it_wanted_holds(world: &mut World) -> Result<()> {
    let scim = &world.scim;
    let ada = scim.create_user("ada@contoso.example").await?;
    let bo = scim.create_user("bo@contoso.example").await?;
    let path = format!("/Users/{ada}");
    // Somebody was to be disabled. Another change of the same person does not do it.
    refused(world, &[("PATCH", path.clone(), disable())]).await?;
    scim.operations(&path, json!([{"op": "Replace", "path": "title", "value": "Lead"}]))
        .await?
        .expect(200)?;
    scim.operations(
        &format!("/Users/{bo}"),
        json!([{"op": "add", "path": "shoeSize", "value": 44}]),
    )
    .await?
    .expect(400)?;
    let open = failures(world, &[]).await?;
    ensure!(
        causes(&open) == ["switched-off", "attribute-unknown"],
        "who keeps access stands first: {open:?}"
    );
    ensure!(open[0]["leaves_access"] == true && open[1]["leaves_access"] == false, "{open:?}");
    ensure!(open[0]["access"] == "somebody should have lost access here and has not", "{open:?}");
    // Page by page, nothing is left out and nothing comes twice.
    let first = failures(world, &["--limit", "1"]).await?;
    let rest = failures(world, &["--limit", "1", "--before", &first[0]["last_number"].to_string()])
        .await?;
    ensure!(
        (&first[0]["id"], &rest[0]["id"]) == (&open[0]["id"], &open[1]["id"]),
        "{first:?} {rest:?}"
    );
    let done = scim.operations(&path, disable()).await?.expect(200)?;
    let by = done.header("exchange-id").context("exchange")?.to_owned();
    let cured = failures(world, &["--cured", "--subject", &ada]).await?;
    ensure!(
        cured.len() == 1 && cured[0]["cured_by"] == by.as_str() && cured[0]["access"].is_null(),
        "{cured:?}"
    );
    // Beside an operation that nobody can read, the same is seen.
    let both = json!([{"op": "add", "path": "shoeSize", "value": 44}, {"op": "Replace", "value": {"active": false}}]);
    scim.operations(&format!("/Users/{bo}"), both).await?.expect(400)?;
    let open = failures(world, &["--subject", &bo]).await?;
    ensure!(
        open.len() == 1 && open[0]["leaves_access"] == true && open[0]["count"] == 2,
        "{open:?}"
    );
    scim.delete(&format!("/Users/{bo}")).await?.expect(204)?;
    // Member by member.
    let (cy, di) = (
        scim.create_user("cy@contoso.example").await?,
        scim.create_user("di@contoso.example").await?,
    );
    let group = scim.create_group("Staff").await?;
    let members = format!("/Groups/{group}");
    scim.operations(&members, add_members(&[&cy, &di])).await?.expect(204)?;
    refused(world, &[("PATCH", members.clone(), remove_members(&[&cy, &di]))]).await?;
    scim.operations(&members, remove_members(&[&cy])).await?.expect(204)?;
    let open = failures(world, &[]).await?;
    ensure!(causes(&open) == ["switched-off"] && open[0]["leaves_access"] == true, "{open:?}");
    scim.operations(&members, remove_members(&[&di])).await?.expect(204)?;
    ensure!(failures(world, &[]).await?.is_empty(), "both are out");
    // A creation that was refused and came again, and the same once more: sent twice is no failure.
    refused(world, &[("POST", "/Users".to_owned(), user("ed@contoso.example"))]).await?;
    ensure!(causes(&failures(world, &[]).await?) == ["switched-off"], "one is to come");
    scim.post("/Users", &user("ed@contoso.example")).await?.expect(201)?;
    scim.post("/Users", &user("ed@contoso.example")).await?.expect(409)?;
    ensure!(failures(world, &[]).await?.is_empty(), "{:?}", failures(world, &[]).await?);
    // A deletion that was refused.
    refused(world, &[("DELETE", format!("/Users/{cy}"), Value::Null)]).await?;
    scim.operations(
        &format!("/Users/{cy}"),
        json!([{"op": "Replace", "path": "title", "value": "Lead"}]),
    )
    .await?
    .expect(200)?;
    let open = failures(world, &[]).await?;
    ensure!(open.len() == 1 && open[0]["leaves_access"] == true, "{open:?}");
    scim.delete(&format!("/Users/{cy}")).await?.expect(204)?;
    ensure!(failures(world, &[]).await?.is_empty(), "{:?}", failures(world, &[]).await?);
    // A removal from a group that is gone: it gives access to nobody.
    scim.operations(&members, add_members(&[&di])).await?.expect(204)?;
    scim.delete(&members).await?.expect(204)?;
    refused(world, &[("PATCH", members.clone(), remove_members(&[&di]))]).await?;
    ensure!(failures(world, &[]).await?.is_empty(), "{:?}", failures(world, &[]).await?);
    scim.operations(&members, remove_members(&[&di])).await?.expect(404)?;
    let open = failures(world, &[]).await?;
    ensure!(causes(&open) == ["resource-unknown"] && open[0]["leaves_access"] == false, "{open:?}");
    world.server.cli(&["views", "verify"]).await?;
    Ok(())
}

on_both!(a_failure_is_over_when_what_it_wanted_holds);

#[tokio::test]
async fn a_replay_by_hand_cures_a_failure() {
    on_sqlite(async |world| {
        let holder = world.scim.create_user("ada@contoso.example").await?;
        world.scim.post("/Users", &namesake("ada@contoso.example")).await?.expect(409)?;
        world.scim.delete(&format!("/Users/{holder}")).await?.expect(204)?;
        let open = failures(world, &[]).await?;
        let failed = open[0]["id"].as_str().context("id")?.to_owned();
        let applied = world
            .server
            .cli(&["replay", "apply", "--yes", "--org", "acme", "--exchange", &failed])
            .await?;
        let all = failures(world, &["--cured"]).await?;
        ensure!(
            all.len() == 1 && all[0]["cured_by"] == applied["exchanges"][0]["submitted_as"],
            "{all:?}, {applied}"
        );
        Ok(())
    })
    .await;
}

/// Every error of the corpus has its cause; none is unclear.
#[tokio::test]
async fn every_failure_of_the_corpus_is_explained() {
    on_sqlite(async |world| {
        play_all(&world.scim).await?;
        let kept = world.admin.exchanges("acme").await?;
        let failed = kept.iter().filter(|x| x["status"].as_u64() >= Some(400));
        let quiet =
            |o: &str| ["read", "list", "search", "delete"].iter().any(|end| o.ends_with(end));
        let noisy = failed
            .filter(|x| !(x["status"] == 404 && x["operation"].as_str().is_some_and(quiet)))
            .count() as u64;
        let all = failures(world, &["--cured", "--limit", "1000"]).await?;
        let counted: u64 = all.iter().filter_map(|f| f["count"].as_u64()).sum();
        // One creation of the corpus is sent twice, and that is no failure.
        ensure!(counted + 1 == noisy, "{noisy} failed, {counted} are told: {all:?}");
        let mut by_cause: BTreeMap<&str, u64> = BTreeMap::new();
        for failure in &all {
            *by_cause.entry(failure["cause"].as_str().context("cause")?).or_default() +=
                failure["count"].as_u64().unwrap_or(0);
        }
        // The wrong token names no organization.
        let expected = BTreeMap::from([("member-unknown", 1), ("name-taken", 2)]);
        ensure!(by_cause == expected, "{by_cause:?}");
        Ok(())
    })
    .await;
}
