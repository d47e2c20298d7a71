//! Lists, one run, its changes, its exchanges, and whether the cycles still come.

use crate::day::{Store, kinds};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::world::start_cluster;
use serde_json::{Value, json};

async fn a_first_day_is_told_as_it_was(store: Store<'_>) -> Result<()> {
    let day = store.day().await?;
    day.first_day().await?;
    let runs = day.runs().await?;
    let expected =
        ["connection-test", "initial", "on-demand", "incremental", "incremental", "incremental"];
    ensure!(kinds(&runs) == expected, "{:?}", kinds(&runs));
    let numbers =
        |name: &str| runs.iter().map(|run| run[name].as_u64().unwrap_or(99)).collect::<Vec<_>>();
    ensure!(numbers("exchanges") == [1, 25, 3, 1, 10, 3], "{:?}", numbers("exchanges"));
    ensure!(numbers("changes") == [0, 12, 1, 0, 4, 1], "{:?}", numbers("changes"));
    ensure!(
        numbers("failures") == [0, 0, 0, 0, 1, 0] && numbers("retries") == [0, 0, 0, 0, 0, 1],
        "{runs:?}"
    );
    ensure!(numbers("users") == [0, 12, 1, 0, 5, 1], "{:?}", numbers("users"));
    ensure!(runs[4]["since_previous_seconds"] == 2_400 && runs[4]["missed"] == 0, "{}", runs[4]);
    ensure!(
        runs[5]["state"] == "open" && runs[..5].iter().all(|run| run["state"] == "ended"),
        "only the last may go on"
    );
    ensure!(runs[1]["operations"] == json!({"users.create": 12, "users.list": 13}), "{}", runs[1]);
    ensure!(
        runs[3]["evidence"]
            .as_array()
            .is_some_and(|e| e.iter().any(|s| s == "nothing followed the lookup")),
        "{}",
        runs[3]
    );

    day.at(140);
    ensure!(day.runs().await?[5]["state"] == "ended", "silence ends a run, although nothing came");
    Ok(())
}

#[tokio::test]
async fn a_first_day_is_told_as_it_was_on_sqlite() -> Result<()> {
    a_first_day_is_told_as_it_was(Store::Memory).await
}

async fn a_run_names_its_changes_and_its_exchanges(store: Store<'_>) -> Result<()> {
    let day = store.day().await?;
    let ids = day.first_day().await?;
    let runs = day.runs().await?;
    let id = |n: usize| runs[n]["run"].as_str().unwrap_or_default().to_owned();
    let changes = day.ask(&format!("/runs/{}/changes", id(4))).await?;
    let subjects: Vec<&str> = changes
        .as_array()
        .context("a list")?
        .iter()
        .filter_map(|e| e["subject"].as_str())
        .collect();
    ensure!(subjects == ids[..4].iter().map(String::as_str).collect::<Vec<_>>(), "{changes}");
    let second = changes[1]["position"].as_u64().context("position")?;
    let rest = day.ask(&format!("/runs/{}/changes?after={second}&limit=1", id(4))).await?;
    ensure!(rest.as_array().is_some_and(|r| r.len() == 1 && r[0] == changes[2]), "{rest}");

    let exchanges = day.ask(&format!("/exchanges?run={}&after=0", id(4))).await?;
    let all = exchanges.as_array().context("a list")?;
    ensure!(
        all.len() == 10
            && all[0]["number"] == runs[4]["first_number"]
            && all[9]["number"] == runs[4]["last_number"],
        "{exchanges}"
    );
    let failed = day.ask(&format!("/exchanges?run={}&failed=true", id(4))).await?;
    ensure!(failed.as_array().is_some_and(|f| f.len() == 1 && f[0]["status"] == 400), "{failed}");
    let newest = day.ask(&format!("/exchanges?run={}&limit=2", id(4))).await?;
    ensure!(newest[0] == all[9] && newest[1] == all[8], "{newest}");
    ensure!(day.ask(&format!("/runs/{}", id(4))).await? == runs[4]);
    Ok(())
}

#[tokio::test]
async fn a_run_names_its_changes_and_its_exchanges_on_sqlite() -> Result<()> {
    a_run_names_its_changes_and_its_exchanges(Store::Memory).await
}

async fn runs_are_listed_page_by_page_and_by_what_they_were(store: Store<'_>) -> Result<()> {
    let day = store.day().await?;
    day.first_day().await?;
    let runs = day.runs().await?;
    let mut paged: Vec<Value> = Vec::new();
    loop {
        let before =
            paged.last().map(|run| format!("&before={}", run["first_number"])).unwrap_or_default();
        let page =
            day.ask(&format!("/runs?limit=2{before}")).await?.as_array().context("a list")?.clone();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    paged.reverse();
    ensure!(paged == runs, "pages hold what the whole holds");
    let only = |query: &'static str| async {
        Ok::<_, anyhow::Error>(day.ask(query).await?.as_array().context("a list")?.len())
    };
    ensure!(only("/runs?kind=incremental").await? == 3);
    ensure!(only("/runs?failed=true").await? == 1);
    ensure!(only("/runs?changed=true").await? == 4);
    let wrong = day.ask("/runs?kind=weekly").await.err().map(|e| e.to_string()).unwrap_or_default();
    ensure!(wrong.starts_with("400: there is no kind \"weekly\"; there is: initial"), "{wrong}");
    let nobody = day
        .ask("/runs/00000000-0000-0000-0000-000000000001")
        .await
        .err()
        .map(|e| e.to_string())
        .unwrap_or_default();
    ensure!(nobody.starts_with("404"), "{nobody}");
    Ok(())
}

#[tokio::test]
async fn runs_are_listed_page_by_page_and_by_what_they_were_on_sqlite() -> Result<()> {
    runs_are_listed_page_by_page_and_by_what_they_were(Store::Memory).await
}

async fn silence_is_told(store: Store<'_>) -> Result<()> {
    let day = store.day().await?;
    ensure!(day.ask("/rhythm").await?["state"] == "never");
    day.first_day().await?;
    for (minutes, state) in [(135, "regular"), (165, "regular"), (195, "late"), (260, "silent")] {
        day.at(minutes);
        let rhythm = day.ask("/rhythm").await?;
        ensure!(
            rhythm["state"] == state && rhythm["usual_seconds"] == 2_400,
            "after {minutes} minutes: {rhythm}"
        );
        ensure!(
            rhythm["age_seconds"] == (minutes - 130) * 60 - 1
                || rhythm["age_seconds"] == (minutes - 130) * 60,
            "{rhythm}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn silence_is_told_on_sqlite() -> Result<()> {
    silence_is_told(Store::Memory).await
}

async fn a_rebuild_gives_the_same_runs(store: Store<'_>) -> Result<()> {
    let day = store.day().await?;
    day.first_day().await?;
    let before = day.runs().await?;
    day.host.app().audit.folder().rebuild().await?;
    ensure!(day.runs().await? == before, "ids, kinds and counts are derived from the log alone");
    let found = day.host.app().audit.folder().verify().await?;
    ensure!(found.count == 0 && found.rows > 0, "{found:?}");
    Ok(())
}

#[tokio::test]
async fn a_rebuild_gives_the_same_runs_on_sqlite() -> Result<()> {
    a_rebuild_gives_the_same_runs(Store::Memory).await
}

#[tokio::test]
async fn runs_are_read_on_postgres() -> Result<()> {
    let cluster = start_cluster().await;
    let store = Store::Postgres(&cluster);
    a_first_day_is_told_as_it_was(store).await?;
    a_run_names_its_changes_and_its_exchanges(store).await?;
    runs_are_listed_page_by_page_and_by_what_they_were(store).await?;
    silence_is_told(store).await?;
    a_rebuild_gives_the_same_runs(store).await
}
