//! Which log a position is of.

use super::client::Consumer;
use super::story::happen;
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::on_both;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;
use serde_json::Value;

on_both!(a_log_that_a_backup_was_put_into_is_another);

/// What a feed and a snapshot say, which is one.
async fn epoch(consumer: &Consumer) -> Result<Value> {
    let page = consumer.ask(&format!("{}?after=0", consumer.feed)).await?.expect_json(200)?;
    let everybody = consumer.ask(&consumer.snapshot).await?.expect_json(200)?;
    ensure!(page["epoch"] == everybody["epoch"], "{page} {everybody}");
    ensure!(page["epoch"].is_string(), "{page}");
    Ok(page["epoch"].clone())
}

async fn a_log_that_a_backup_was_put_into_is_another(w: &mut World) -> Result<()> {
    let consumer = Consumer::add(&w.server, "doors", &[]).await?;
    happen(w).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("backup.jsonl");
    let path = file.to_str().context("a path")?;
    w.server.cli(&["backup", "--to", path]).await?;
    let before = epoch(&consumer).await?;
    w.server.terminate().await?;
    w.server.restart().await?;
    ensure!(epoch(&consumer.at(w.server.address())).await? == before, "a start made another log");

    let other = Server::start(Store::Sqlite).await?;
    other.cli(&["restore", "--from", path]).await?;
    let there = consumer.at(other.address());
    let page = there.ask(&format!("{}?after=0", there.feed)).await?.expect_json(200)?;
    ensure!(page["events"].as_array().is_some_and(|events| events.len() > 5), "{page}");
    ensure!(epoch(&there).await? != before, "the restored log says that it is the one of before");
    Ok(())
}
