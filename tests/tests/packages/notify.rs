//! What the service manager is told: in order, and never that appends go on while they do not.

use super::service::Service;
use anyhow::{Context as _, Result, ensure};
use rusqlite::{Connection, TransactionBehavior};
use std::time::Duration;

#[tokio::test]
async fn it_says_when_it_is_ready_when_it_reads_again_and_when_it_stops() -> Result<()> {
    let mut service = Service::start(&[], None)?;
    let told = service.told_until("READY=1").await?;
    ensure!(told.first().is_some_and(|t| t.starts_with("STATUS=opening")), "{told:?}");
    ensure!(service.address().is_ok(), "ready before anybody can ask");
    let file = service.data().join("rollcall.toml");
    // What can be in force at once is: here, that no more is said than warnings.
    std::fs::write(&file, "log = \"warn\"\n")?;
    service.signal("HUP")?;
    let told = service.told_until("READY=1").await?;
    ensure!(told[0].contains("RELOADING=1") && told[0].contains("MONOTONIC_USEC="), "{told:?}");
    // What cannot is named.
    std::fs::write(&file, "log = \"warn\"\nrate_limit = 7\n")?;
    service.signal("HUP")?;
    service.told_until("READY=1").await?;
    service.logs("\"settings\":\"rate_limit\"").await?;
    std::fs::write(&file, "log = \"info\"\n")?;
    service.signal("HUP")?;
    service.told_until("READY=1").await?;
    service.logs("the configuration was read again").await?;
    ensure!(service.log().matches("the configuration was read again").count() == 1, "filtered");
    // A file that cannot be read changes nothing, and ends nothing.
    std::fs::write(&file, "lgo = \"info\"\n")?;
    service.signal("HUP")?;
    service.told_until("READY=1").await?;
    service.logs("the configuration of before stays in force").await?;
    service.signal("TERM")?;
    service.told_until("STOPPING=1").await?;
    ensure!(service.ended().await?, "it did not end well");
    Ok(())
}

#[tokio::test]
async fn the_watchdog_is_fed_by_the_writer_and_starves_with_it() -> Result<()> {
    let patience = Duration::from_millis(600);
    let service = Service::start(&["--log", "warn"], Some(patience))?;
    service.told_until("READY=1").await?;
    for _ in 0..5 {
        service.told_until("WATCHDOG=1").await?;
    }
    // Somebody holds the log: the writer waits for it, for seconds.
    let mut holder = Connection::open(service.data().join("log.db"))?;
    let held = holder.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tokio::time::sleep(patience).await;
    service.forget();
    ensure!(!service.is_told_within(patience * 2).await, "fed by something else than the writer");
    held.rollback().context("held")?;
    service.told_until("WATCHDOG=1").await?;
    Ok(())
}
