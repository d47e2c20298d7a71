//! Webhooks that say only that there is something to ask for.

use super::client::{Consumer, number};
use super::receiver::Receiver;
use super::story::happen;
use super::verifiers::says;
use super::webhooks::{FLAGS, add, until_shown};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Request;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;
use serde_json::json;

#[tokio::test]
async fn a_poke_says_where_to_ask_and_nothing_of_anybody() -> Result<()> {
    let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &FLAGS).await?;
    let w = World::around(server).await?;
    let doors = Receiver::start().await?;
    let secret = add(&w, "doors", &doors, &["--payload", "poke", "--types", "user.*"]).await?;
    let mut feed = Consumer::add(&w.server, "feed", &["--types", "user.*"]).await?;
    // One that fails is made up for by a later one, which says all that it would have said.
    doors.answer(&[(500, None)]);
    happen(&w).await?;
    while doors.got().len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    w.server.cli(&["consumer", "resume", "--org", "acme", "doors"]).await?;
    feed.all("").await?;
    let last = number(feed.got.last().context("events")?, "position");
    let taken = doors.until(|t| t.last().is_some_and(|l| l.event()["data"]["position"] == last));
    let taken = taken.await?;
    let mut position = 0;
    for letter in &taken {
        let event = letter.event();
        let data = event["data"].as_object().context("data")?;
        ensure!(event["type"] == "rollcall.poke" && data.len() == 2, "{event}");
        let (now, head) = (number(&event["data"], "position"), number(&event["data"], "head"));
        ensure!(now > position && head >= now, "{event} after {position}");
        position = now;
        ensure!(!letter.body.contains("contoso"), "{}", letter.body);
        ensure!(feed.got.iter().any(|event| number(event, "position") == now), "{event}");
    }
    ensure!(taken.len() <= feed.got.len(), "{} pokes", taken.len());
    until_shown(&w, "doors", |state| state["lag_records"] == 0 && state["parked"] == 0).await?;
    // What is not for it does not wake it.
    let before = doors.got().len();
    w.scim.create_group("Nobody asks").await?;
    until_shown(&w, "doors", |state| state["lag_records"] == 0).await?;
    ensure!(doors.got().len() == before, "{:?}", doors.got().last());
    let letters: Vec<_> = taken
        .iter()
        .map(|l| json!({ "secrets": [&secret], "headers": l.headers, "body": l.body }))
        .collect();
    says(&json!(letters)).await?;
    // Who asks or gets tokens cannot be poked.
    let key = w.server.operator_key()?;
    for (kind, more) in [("pull", json!({})), ("set-poll", json!({ "audience": "a" }))] {
        let mut body = json!({ "name": "x", "kind": kind, "payload": "poke" });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let request = Request::new("POST", "/api/v1/organizations/acme/consumers")
            .header("Authorization", format!("Bearer {key}"))
            .json("application/json", &body);
        let answer = w.scim.http().fresh().send(request).await?;
        ensure!(answer.status == 400, "{kind}: {}", answer.text());
    }
    Ok(())
}
