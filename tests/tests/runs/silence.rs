//! That the cycles fell silent is kept as an event, once, and so is that they came back.

use crate::day::{Day, Store, begin};
use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_server::background::Job;
use rollcall_server::background::cycles::Cycles;
use rollcall_tests::world::start_cluster;
use serde_json::{Value, json};

/// The turns that were kept.
async fn kept(day: &Day) -> Result<Vec<Value>> {
    let found = day.ask("/events?type=ProvisioningRhythmChanged").await?;
    found.as_array().cloned().context("a list")
}

/// A server that begins to look at this minute.
async fn looked(day: &Day, minutes: i64) -> Result<usize> {
    day.at(minutes);
    // Asking moves the time of the application.
    day.ask("/rhythm").await?;
    Cycles::default().pass(day.host.app()).await?;
    Ok(kept(day).await?.len())
}

async fn silence_is_kept_once(store: Store<'_>) -> Result<()> {
    let day = store.day().await?;
    ensure!(looked(&day, 1).await? == 0, "no cycle was ever seen");
    day.first_day().await?;
    for minutes in [131, 150, 195] {
        ensure!(
            looked(&day, minutes).await? == 0,
            "after {minutes} minutes they are regular, or late at most"
        );
    }
    // Two servers notice it at the same time, and a third one later.
    day.at(260);
    day.ask("/rhythm").await?;
    let (mut one, mut other) = (Cycles::default(), Cycles::default());
    tokio::try_join!(one.pass(day.host.app()), other.pass(day.host.app()))?;
    ensure!(looked(&day, 265).await? == 1, "{:?}", kept(&day).await?);
    let silent = kept(&day).await?.remove(0);
    ensure!(
        silent["actor"]["kind"] == "system" && silent["exchange"].is_null(),
        "nobody asked for it: {silent}"
    );
    ensure!(
        silent["payload"]["state"] == "silent" && silent["payload"]["usual_seconds"] == 2_400,
        "{silent}"
    );
    let instant = |value: &Value| {
        Ok::<DateTime<Utc>, anyhow::Error>(value.as_str().context("an instant")?.parse()?)
    };
    ensure!(
        instant(&silent["payload"]["last_cycle_at"])? - begin() - TimeDelta::minutes(130)
            < TimeDelta::seconds(1),
        "{silent}"
    );
    ensure!(instant(&silent["recorded_at"])? == begin() + TimeDelta::minutes(260), "{silent}");

    // A cycle ends it, as soon as it is sure to be one.
    day.at(270);
    day.probe().await?;
    let ids = day.ask("/users").await?;
    let somebody = ids["resources"][0]["id"].as_str().context("a user")?.to_owned();
    day.change(&somebody, "Guard").await?;
    ensure!(looked(&day, 272).await? == 1, "it may be a connection test");
    ensure!(
        looked(&day, 276).await? == 2 && looked(&day, 300).await? == 2,
        "{:?}",
        kept(&day).await?
    );
    ensure!(kept(&day).await?[1]["payload"]["state"] == "regular");

    // Runs come from the traffic alone, and no request caused what was noticed.
    let before = day.runs().await?;
    day.host.app().audit.folder().rebuild().await?;
    ensure!(day.runs().await? == before);
    let verified = day.operate("/replay/verify", &json!({})).await?;
    ensure!(
        verified["records_differ"] == 0
            && verified["records_of_no_exchange"] == 1
            && verified["records_of_others"] == 3,
        "three of the operator, and the silence before the last request: {verified}"
    );
    Ok(())
}

#[tokio::test]
async fn silence_is_kept_once_on_sqlite() -> Result<()> {
    silence_is_kept_once(Store::Memory).await
}

#[tokio::test]
async fn silence_is_kept_once_on_postgres() -> Result<()> {
    silence_is_kept_once(Store::Postgres(&start_cluster().await)).await
}
