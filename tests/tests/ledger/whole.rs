//! An organization is erased as a whole: nobody of it can be read any more, nothing that was proved
//! is lost, and others are as they were.

use super::life::{WORD, a_life, files_with_the_word, somebody};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::postgres_cluster::PostgresCluster;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use serde_json::Value;
use std::process::Output;

async fn erase(w: &World, more: &[&str]) -> Result<Output> {
    let args = ["org", "erase", "--org", "acme", "--reason", "the contract ended"];
    w.server.command(&[&args[..], more].concat()).await
}

fn sentence(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn verified(server: &Server) -> Result<()> {
    server.cli(&["views", "verify"]).await?;
    for org in ["acme", "globex"] {
        server.cli(&["replay", "verify", "--org", org]).await?;
        let heads = server.data().join("heads").to_string_lossy().into_owned();
        server.cli(&["ledger", "audit", "--org", org, "--heads", &heads]).await?;
    }
    Ok(())
}

async fn story(w: &mut World, cluster: Option<&PostgresCluster>) -> Result<()> {
    let (id, bob, _) = a_life(w).await?;
    let (_, globex) = w.another("Globex", "globex").await?;
    let carol = globex.post("/Users", &somebody("elsewhere")).await?.expect_json(201)?;
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (backup, proof, list) = (path("backup"), path("proof"), path("list"));
    w.server.cli(&["backup", "--output", &backup]).await?;
    let prove = ["ledger", "prove", "--org", "acme", "--position", "3", "--output", &proof];
    w.server.cli(&prove).await?;

    // Not while somebody is held, and not by a look.
    let of_bob = ["--org", "acme", "--user", &bob, "--because", "a court"];
    w.server.cli(&[&["person", "hold"], &of_bob[..]].concat()).await?;
    let refused = erase(w, &["--yes"]).await?;
    ensure!(refused.status.code() == Some(3) && sentence(&refused).contains("held"), "{refused:?}");
    let look: Value = serde_json::from_slice(&erase(w, &[]).await?.stdout)?;
    ensure!(look["dry_run"] == true && look["held"][0] == *bob, "{look}");
    w.scim.get(&format!("/Users/{id}")).await?.expect(200)?;
    w.server.cli(&[&["person", "release"], &of_bob[..]].concat()).await?;

    let done = erase(w, &["--yes"]).await?;
    ensure!(done.status.success(), "{done:?}");
    let told: Value = serde_json::from_slice(&done.stdout)?;
    ensure!(told["erased_at"].is_u64() && told["keys"].as_u64() > Some(1), "{told}");

    // It is off for good; what is asked of it is answered so that Entra loses nothing.
    w.scim.get(&format!("/Users/{id}")).await?.expect(503)?;
    let on = w.server.command(&["org", "enable", "--org", "acme"]).await?;
    ensure!(sentence(&on).contains("erased, for good"), "{on:?}");
    let events = w.admin.events_after("acme", 0).await?;
    let last = events.last().context("an event")?;
    ensure!(last["type"] == "OrganizationErased", "{last}");
    for text in [
        Value::from(events).to_string(),
        w.admin.all_exchanges("acme").await?.iter().map(Value::to_string).collect(),
    ] {
        let text = text.to_lowercase();
        ensure!(!text.contains(WORD) && !text.contains("bob@contoso"), "{text}");
    }
    let there = globex.get(&format!("/Users/{}", carol["id"].as_str().context("an id")?)).await?;
    ensure!(there.expect_json(200)?["userName"] == "ada.elsewhere@contoso.example");
    verified(&w.server).await?;
    let proven = w.server.cli(&["ledger", "verify", &proof]).await?;
    ensure!(proven["holds"] == true, "{proven}");
    let left = files_with_the_word(&w.server.data(), WORD)?;
    ensure!(left.is_empty(), "the word is in {left:?} of a server that runs");
    if let Some(cluster) = cluster {
        cluster.sql_in("rollcall", "VACUUM")?;
        let dumped = cluster.dump("rollcall")?.to_lowercase();
        ensure!(!dumped.contains(WORD), "the word is in a dump");
    }
    // Once more changes nothing, but for keys of what was appended since.
    let again: Value = serde_json::from_slice(&erase(w, &["--yes"]).await?.stdout)?;
    ensure!(again["erased_at"] == told["erased_at"], "{again}");

    // Yesterday's backup does not bring it back.
    w.server.cli(&["person", "erasures", "--output", &list]).await?;
    let other = Server::start(Store::Sqlite).await?;
    let restore = ["restore", "--input", &backup, "--erasures", &list];
    let restored = other.cli(&restore).await?;
    ensure!(restored["erased"] == 1 && restored["not_in_backup"] == 0, "{restored}");
    let left = files_with_the_word(&other.data(), WORD)?;
    ensure!(left.is_empty(), "the word is in {left:?} of a server that was restored");
    let on = other.command(&["org", "enable", "--org", "acme"]).await?;
    ensure!(sentence(&on).contains("erased, for good"), "{on:?}");
    verified(&other).await
}

#[tokio::test]
async fn in_a_data_folder() {
    on_sqlite(async |w| story(w, None).await).await;
}

#[tokio::test]
async fn in_a_database() {
    on_postgres(async |w, cluster| story(w, Some(cluster)).await).await;
}
