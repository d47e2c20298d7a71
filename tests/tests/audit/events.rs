//! Events: found, shown with before and after, followed, exported.

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Utc};
use rollcall_tests::on_both;
use rollcall_tests::scim::add_members;
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};

async fn story(w: &World) -> Result<(String, String)> {
    let ada = w.scim.create_user("ada@contoso.example").await?; // 4
    let door = w.scim.create_group("Door A").await?; // 5
    w.scim.operations(&format!("/Groups/{door}"), add_members(&[&ada])).await?.expect(204)?; // 6
    let off = json!([{"op": "Replace", "path": "active", "value": "False"}]);
    w.scim.operations(&format!("/Users/{ada}"), off).await?.expect(200)?; // 7
    let title = json!([{"op": "Replace", "path": "title", "value": "=Head"}]);
    w.scim.operations(&format!("/Users/{ada}"), title).await?.expect(200)?; // 8
    Ok((ada, door))
}

async fn positions(w: &World, query: &str) -> Result<Vec<u64>> {
    let found = w
        .admin
        .get(&format!("/api/v1/organizations/acme/events?{query}"))
        .await?
        .expect_json(200)?;
    Ok(found.as_array().into_iter().flatten().filter_map(|e| e["position"].as_u64()).collect())
}

async fn events_are_found_by_subject_type_actor_exchange_and_time(w: &World) -> Result<()> {
    let (ada, door) = story(w).await?;
    ensure!(positions(w, "").await? == [1, 2, 3, 4, 5, 6, 7, 8]);
    ensure!(positions(w, &format!("subject={ada}")).await? == [4, 7, 8]);
    ensure!(positions(w, &format!("subject={ada}&after=4&limit=1")).await? == [7]);
    ensure!(positions(w, &format!("subject={door}&until=5")).await? == [5]);
    ensure!(positions(w, "type=UserDeactivated").await? == [7]);
    ensure!(positions(w, "actor=operator").await? == [1, 2, 3]);
    ensure!(positions(w, "after=8").await?.is_empty() && positions(w, "until=2").await? == [1, 2]);
    let event = w.admin.get("/api/v1/organizations/acme/events/7").await?.expect_json(200)?;
    let token = event["event"]["actor"]["token"].as_str().context("a token")?;
    ensure!(positions(w, &format!("actor=scim_token:{token}")).await? == [4, 5, 6, 7, 8]);
    let exchange = event["event"]["exchange"].as_str().context("an exchange")?;
    ensure!(positions(w, &format!("exchange={exchange}")).await? == [7]);
    let at = event["event"]["recorded_at"].as_str().context("a time")?;
    // Neighbours may be recorded at the same instant: they are what the bounds take too.
    let all = w.admin.get("/api/v1/organizations/acme/events").await?.expect_json(200)?;
    let mut when: Vec<DateTime<Utc>> = Vec::new();
    for event in all.as_array().context("a list")? {
        when.push(event["recorded_at"].as_str().context("a time")?.parse()?);
    }
    ensure!(when.len() == 8 && when.is_sorted(), "{when:?}");
    let recorded = |is: fn(DateTime<Utc>, DateTime<Utc>) -> bool| -> Vec<u64> {
        (1..).zip(&when).filter(|(_, then)| is(**then, when[6])).map(|(n, _)| n).collect()
    };
    ensure!(positions(w, &format!("from={at}")).await? == recorded(|then, at| then >= at));
    ensure!(positions(w, &format!("to={at}")).await? == recorded(|then, at| then <= at));

    // Before and after, the exchange, and how it was read.
    ensure!(event["before"]["active"] == true && event["after"]["active"] == false, "{event}");
    ensure!(event["exchange"]["operation"] == "users.patch", "{event}");
    let readings: Vec<&Value> = event["event"]["readings"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|r| &r["reading"])
        .collect();
    ensure!(readings.contains(&&json!("string-boolean")), "{event}");
    let created = w.admin.get("/api/v1/organizations/acme/events/4").await?.expect_json(200)?;
    ensure!(
        created["before"].is_null() && created["after"]["userName"] == "ada@contoso.example",
        "{created}"
    );
    w.admin.get("/api/v1/organizations/acme/events/99").await?.expect(404)?;
    w.admin.get("/api/v1/organizations/acme/events/0").await?.expect(404)?;
    w.admin.get("/api/v1/organizations/acme/events?from=yesterday").await?.expect(400)?;
    Ok(())
}

on_both!(events_are_found_by_subject_type_actor_exchange_and_time);

#[tokio::test]
async fn events_are_exported_in_each_format() {
    on_sqlite(async |w| {
        let (ada, _) = story(w).await?;
        let export = async |query: &str| {
            let answer = w
                .admin
                .get(&format!("/api/v1/organizations/acme/events/export?{query}"))
                .await?
                .expect(200)?;
            Ok::<_, anyhow::Error>(answer.text())
        };
        let json: Value = serde_json::from_str(&export("").await?)?;
        ensure!(json.as_array().is_some_and(|all| all.len() == 8), "{json}");
        let none: Value = serde_json::from_str(&export("after=8").await?)?;
        ensure!(none == json!([]), "{none}");
        let lines = export(&format!("format=ndjson&subject={ada}")).await?;
        ensure!(
            lines
                .lines()
                .map(|l| serde_json::from_str::<Value>(l).map(|e| e["position"].clone()))
                .collect::<Result<Vec<_>, _>>()?
                == [4, 7, 8]
        );
        let csv = export("format=csv&type=UserChanged").await?;
        ensure!(csv.lines().count() == 2 && csv.starts_with("position,recorded_at,type,"), "{csv}");
        let cloud = export("format=cloudevents&type=UserDeactivated").await?;
        let cloud: Value = serde_json::from_str(cloud.lines().next().context("an event")?)?;
        ensure!(
            cloud["specversion"] == "1.0" && cloud["type"] == "rollcall.UserDeactivated.v1",
            "{cloud}"
        );
        ensure!(
            cloud["id"] == format!("{}/7", w.acme.id) && cloud["subject"] == format!("User/{ada}"),
            "{cloud}"
        );
        ensure!(
            cloud["source"]
                .as_str()
                .is_some_and(|s| s.ends_with(&format!("/api/v1/organizations/{}", w.acme.id))),
            "{cloud}"
        );
        ensure!(
            cloud["time"].is_string() && cloud["sequence"] == "00000000000000000007",
            "{cloud}"
        );

        let folder = tempfile::tempdir()?;
        let file = folder.path().join("events.ndjson");
        let path = file.to_str().context("a path")?;
        w.server
            .command(&["events", "export", "--org", "acme", "--format", "ndjson", "--output", path])
            .await?;
        ensure!(std::fs::read_to_string(&file)?.lines().count() == 8);
        let again =
            w.server.command(&["events", "export", "--org", "acme", "--output", path]).await?;
        ensure!(!again.status.success(), "a file was overwritten");
        let followed = w
            .server
            .command(&["events", "follow", "--org", "acme", "--after", "5", "--limit", "3"])
            .await?;
        ensure!(String::from_utf8_lossy(&followed.stdout).lines().count() == 3, "{followed:?}");
        let shown = w.server.cli(&["events", "show", "--org", "acme", "7"]).await?;
        ensure!(shown["event"]["type"] == "UserDeactivated", "{shown}");
        Ok(())
    })
    .await;
}
