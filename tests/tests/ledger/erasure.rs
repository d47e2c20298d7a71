//! A person is erased: nothing that tells who they were is left in any file, and everything that was
//! proved still holds.

use super::life::{WORD, a_life, files_with_the_word};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::postgres_cluster::PostgresCluster;
use rollcall_tests::rng::Rng;
use rollcall_tests::scim::filter;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::soak;
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use serde_json::{Value, json};
use std::process::Output;

/// The keys that are to be destroyed, as they lie in the data folder.
fn wrapped_keys(w: &World, told: &Value, is_elsewhere: bool) -> Result<Vec<String>> {
    if is_elsewhere {
        return Ok(Vec::new());
    }
    let side = rusqlite::Connection::open(w.server.data().join("side.db"))?;
    let ids = told["keys"].as_array().context("keys")?.iter().filter_map(Value::as_i64);
    let wrapped = "SELECT wrapped FROM data_keys WHERE organization = ?1 AND id = ?2";
    let key = |id: i64| side.query_row(wrapped, (&w.acme.id, id), |row| row.get(0));
    let keys: Vec<String> = ids.map(key).collect::<Result<_, _>>()?;
    ensure!(!keys.is_empty(), "{told}");
    Ok(keys)
}

async fn erase(w: &World, id: &str, more: &[&str]) -> Result<Output> {
    let args = ["person", "erase", "--org", "acme", "--user", id, "--reason", "article 17"];
    w.server.command(&[&args[..], more].concat()).await
}

async fn verified(w: &World) -> Result<()> {
    w.server.cli(&["views", "verify"]).await?;
    w.server.cli(&["replay", "verify", "--org", "acme"]).await?;
    w.server.cli(&["ledger", "audit", "--org", "acme"]).await.map(drop)
}

async fn erased(w: &mut World, cluster: Option<&PostgresCluster>) -> Result<()> {
    let (id, bob, group) = a_life(w).await?;
    let folder = tempfile::tempdir()?;
    let proof = folder.path().join("before.ledger");
    let proof = proof.to_str().context("a path")?;
    w.server.cli(&["ledger", "export", "--org", "acme", "--output", proof]).await?;
    let events = w.admin.events_after("acme", 0).await?;
    let traces = files_with_the_word(&w.server.data(), WORD)?;
    ensure!(!traces.is_empty() || cluster.is_some(), "what is looked for is nowhere");

    // Somebody who is active is not erased by mistake; and a look erases nothing.
    let refused = erase(w, &id, &["--yes"]).await?;
    ensure!(refused.status.code() == Some(3), "{refused:?}");
    let told: Value = serde_json::from_slice(&erase(w, &id, &[]).await?.stdout)?;
    ensure!(
        told["dry_run"] == true && told["keys"].as_array().is_some_and(|k| !k.is_empty()),
        "{told}"
    );
    w.scim.get(&format!("/Users/{id}")).await?.expect(200)?;
    let keys = wrapped_keys(w, &told, cluster.is_some())?;
    let unknown = erase(w, "01a20bb3-b0eb-7dde-9ce9-34537b824982", &["--yes"]).await?;
    ensure!(unknown.status.code() == Some(3), "{unknown:?}");

    let off = json!([{"op": "replace", "path": "active", "value": false}]);
    w.scim.operations(&format!("/Users/{id}"), off).await?.expect(200)?;
    let done = erase(w, &id, &["--yes"]).await?;
    ensure!(done.status.success(), "{done:?}");
    let told: Value = serde_json::from_slice(&done.stdout)?;
    let exchanges = told["exchanges"].as_array().context("exchanges")?;
    ensure!(told["was_present"] == true && exchanges.len() >= 8, "{told}");

    // Nobody is there any more, and what was is told without who it was.
    w.scim.get(&format!("/Users/{id}")).await?.expect(404)?;
    let after = w.admin.events_after("acme", 0).await?;
    ensure!(after.len() == events.len() + 3, "{} and {}", after.len(), events.len());
    ensure!(after.last().context("an event")?["type"] == "UserErased", "{:?}", after.last());
    let members = format!(
        "/api/v1/organizations/acme/groups/{group}/members?as_of=position:{}",
        events.len()
    );
    let then = w.admin.get(&members).await?.expect_json(200)?.to_string();
    ensure!(
        then.contains("[erased]") && then.contains("bob@contoso.example") || then.contains(&bob),
        "{then}"
    );
    for text in [
        Value::from(after).to_string(),
        then,
        w.admin.all_exchanges("acme").await?.iter().map(Value::to_string).collect(),
    ] {
        ensure!(
            !text.to_lowercase().contains("ada.erasable") && !text.contains("Ada Erasable"),
            "{text}"
        );
    }
    // Others are as they were.
    let shown = w.scim.get(&format!("/Users/{bob}")).await?.expect_json(200)?;
    ensure!(shown["userName"] == "bob@contoso.example", "{shown}");
    verified(w).await?;
    // What was proved before is what it was, if older than what was seen since; and all of today is.
    let before = w.server.command(&["ledger", "verify", proof]).await?;
    let before: Value = serde_json::from_slice(&before.stdout)?;
    ensure!(before["unchanged"] == true, "what was proved before holds no more: {before}");
    let today = folder.path().join("after.ledger");
    let today = today.to_str().context("a path")?;
    w.server.cli(&["ledger", "export", "--org", "acme", "--output", today]).await?;
    let today = w.server.cli(&["ledger", "verify", today]).await?;
    ensure!(today["unchanged"] == true && today["complete"] == true, "{today}");

    for key in keys {
        let left = files_with_the_word(&w.server.data(), &key)?;
        ensure!(left.is_empty(), "a key that was destroyed is in {left:?}");
    }

    // Once more changes nothing.
    let again: Value = serde_json::from_slice(&erase(w, &id, &["--yes"]).await?.stdout)?;
    ensure!(again["erased_at"] == told["erased_at"] && again["was_present"] == false, "{again}");
    Ok(())
}

#[tokio::test]
async fn of_a_data_folder() {
    on_sqlite(async |w| {
        erased(w, None).await?;
        let left = files_with_the_word(&w.server.data(), WORD)?;
        ensure!(left.is_empty(), "the word is in {left:?} of a server that runs");
        w.server.terminate().await?;
        let left = files_with_the_word(&w.server.data(), WORD)?;
        ensure!(left.is_empty(), "the word is in {left:?}");
        w.server.restart().await?;
        verified(w).await
    })
    .await;
}

#[tokio::test]
async fn of_a_database_with_two_processes() {
    on_postgres(async |w, cluster| {
        let other = Server::start(Store::Postgres(cluster.url())).await?;
        erased(w, Some(cluster)).await?;
        let found = rollcall_tests::admin::Admin::new(other.address(), &other.operator_key()?);
        let events = Value::from(found.events_after("acme", 0).await?).to_string();
        ensure!(!events.contains("Ada Erasable"), "the other process still reads it");
        cluster.sql_in("rollcall", "VACUUM")?;
        let dumped = cluster.dump("rollcall")?.to_lowercase();
        let line = dumped.lines().find(|line| line.contains(WORD));
        ensure!(line.is_none(), "{line:?}");
        Ok(())
    })
    .await;
}

/// Whoever is killed in between has erased nobody by half: the next ends it.
#[tokio::test]
async fn one_that_is_killed_is_ended_by_the_next() {
    on_sqlite(async |w| {
        let mut rng = Rng::from_env("erasures killed", 20_261_201);
        for round in 0..soak::times(4) {
            let (id, _, _) = a_life(w).await?;
            let args =
                ["person", "erase", "--org", "acme", "--user", &id, "--reason", "a", "--yes"];
            let mut command = w.server.command_line(&[&args[..], &["--force"]].concat());
            let erasing = tokio::task::spawn_blocking(move || command.output());
            tokio::time::sleep(rng.millis(0, 400)).await;
            w.server.kill9()?;
            let was_done = erasing.await??.status.success();
            w.server.restart().await?;
            let done = erase(w, &id, &["--yes", "--force"]).await?;
            ensure!(done.status.success(), "round {round}, done before: {was_done}: {done:?}");
            verified(w).await?;
            w.server.terminate().await?;
            let left = files_with_the_word(&w.server.data(), WORD)?;
            ensure!(left.is_empty(), "round {round}, done before: {was_done}: {left:?}");
            w.server.restart().await?;
            for name in ["bob", "carol"] {
                let asked = filter(&format!("userName eq \"{name}@contoso.example\""));
                let found = w.scim.get(&format!("/Users?{asked}")).await?.expect_json(200)?;
                let id = found["Resources"][0]["id"].as_str().context("one of the others")?;
                w.scim.delete(&format!("/Users/{id}")).await?.expect(204)?;
            }
            let asked = filter("displayName eq \"Server room\"");
            let found = w.scim.get(&format!("/Groups?{asked}")).await?.expect_json(200)?;
            let group = found["Resources"][0]["id"].as_str().context("the group")?;
            w.scim.delete(&format!("/Groups/{group}")).await?.expect(204)?;
        }
        Ok(())
    })
    .await;
}
