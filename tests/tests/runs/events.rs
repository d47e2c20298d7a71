//! Events by the run that caused them, and access reviews that name it: as inferred, and as Entra's
//! own log corrects it.

use crate::day::{Day, Store};
use anyhow::{Context as _, Result, ensure};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::provisioning_log::own_run;
use rollcall_tests::world::start_cluster;
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn positions(day: &Day, query: &str) -> Result<Vec<u64>> {
    let found = day.ask(query).await?;
    Ok(found
        .as_array()
        .with_context(|| format!("{query}: {found}"))?
        .iter()
        .filter_map(|event| event["position"].as_u64())
        .collect())
}

/// After the first day one more cycle, in the middle of which the operator does something.
async fn a_cycle_with_a_gap(day: &Day) -> Result<Vec<String>> {
    let ids = day.first_day().await?;
    day.at(170);
    day.probe().await?;
    day.change(&ids[0], "Guard").await?;
    day.change(&ids[1], "Guard").await?;
    day.host.issue_token(day.now(), "acme", "second").await?;
    day.change(&ids[2], "Guard").await?;
    ensure!(day.patch(&ids[0], "active", json!("False")).await? == 200);
    Ok(ids)
}

async fn events_are_found_by_run(store: Store<'_>) -> Result<()> {
    let day = store.day().await?;
    let ids = a_cycle_with_a_gap(&day).await?;
    let runs = day.runs().await?;
    let run = runs.last().and_then(|run| run["run"].as_str()).context("a run")?;
    let of = |more: &str| format!("/events?run={run}{more}");
    let all = positions(&day, &of("")).await?;
    ensure!(
        all.len() == 4 && all[1] == all[0] + 1 && all[2] == all[0] + 3,
        "one event in the middle is not of the run: {all:?}"
    );
    ensure!(positions(&day, &format!("/runs/{run}/changes")).await? == all);

    let mut paged = Vec::new();
    loop {
        let after = paged.last().copied().unwrap_or(0);
        let page = positions(&day, &of(&format!("&limit=1&after={after}"))).await?;
        let Some(next) = page.first() else { break };
        ensure!(page.len() == 1 && *next > after, "{page:?} after {after}");
        paged.push(*next);
    }
    ensure!(paged == all, "pages hold what the whole holds: {paged:?}");

    // Together with everything else that may be asked for.
    let (first, third) = (all[0], all[2]);
    ensure!(positions(&day, &of(&format!("&subject={}", ids[0]))).await? == [first, all[3]]);
    ensure!(
        positions(&day, &of(&format!("&subject={}&limit=1&after={first}", ids[0]))).await?
            == [all[3]]
    );
    ensure!(positions(&day, &of("&type=UserDeactivated")).await? == [all[3]]);
    ensure!(
        positions(&day, &of("&type=UserCreated")).await?.is_empty(),
        "they were created in another run"
    );
    ensure!(
        positions(&day, &of("&actor=operator")).await?.is_empty(),
        "what the operator did meanwhile is not of the run"
    );
    ensure!(
        positions(&day, &of(&format!("&until={third}&after={first}"))).await? == [all[1], third]
    );
    let event = day.ask(&format!("/events/{third}")).await?;
    let text = |name: &str| event["event"][name].as_str().unwrap_or_default().to_owned();
    ensure!(
        positions(&day, &of(&format!("&from={}", text("recorded_at")))).await? == [third, all[3]],
        "{event}"
    );
    ensure!(positions(&day, &of(&format!("&exchange={}", text("exchange")))).await? == [third]);
    ensure!(
        positions(&day, &format!("/events/export?run={run}&type=UserChanged")).await? == all[..3]
    );
    ensure!(positions(&day, &format!("/events/export?run={run}")).await? == all);

    let nobody = day
        .ask("/events?run=00000000-0000-0000-0000-000000000001")
        .await
        .err()
        .map(|e| e.to_string())
        .unwrap_or_default();
    ensure!(nobody.starts_with("404: there is no run"), "{nobody}");
    Ok(())
}

#[tokio::test]
async fn events_are_found_by_run_on_sqlite() -> Result<()> {
    events_are_found_by_run(Store::Memory).await
}

/// An entry of Entra's own log.
fn entry(day: &Day, cycle: &str, initiator: &str, target: &str) -> Value {
    json!({"activityDateTime": day.now().to_rfc3339(), "cycleId": cycle, "changeId": target, "action": "update", "durationInMilliseconds": 100,
        "targetIdentity": {"id": target}, "initiatedBy": {"initiatorType": initiator}, "statusInfo": {"status": "success"}})
}

async fn organization(day: &Day) -> Result<OrganizationId> {
    Ok(day.host.app().organizations.by_domain("acme").await?.context("acme")?.id)
}

async fn events_of_a_corrected_run_are_those_that_it_was_left_with(store: Store<'_>) -> Result<()> {
    let day = store.day().await?;
    let ids = a_cycle_with_a_gap(&day).await?;
    let runs = day.runs().await?;
    let cycle = runs.last().and_then(|run| run["run"].as_str()).context("a run")?;
    let before = positions(&day, &format!("/events?run={cycle}")).await?;
    day.import(json!([
        entry(&day, "c170", "system", &ids[0]),
        entry(&day, "c170", "system", &ids[2]),
        entry(&day, "by hand", "user", &ids[1]),
    ]))
    .await?;
    let by_hand = own_run(organization(&day).await?, "by hand");
    let told = day.ask(&format!("/runs/{by_hand}")).await?;
    ensure!(told["kind"] == "on-demand" && told["confidence"] == "confirmed", "{told}");
    ensure!(positions(&day, &format!("/events?run={by_hand}")).await? == before[1..2]);
    ensure!(
        positions(&day, &format!("/events?run={by_hand}&type=UserChanged")).await? == before[1..2]
    );
    let left = [before[0], before[2], before[3]];
    ensure!(positions(&day, &format!("/events?run={cycle}")).await? == left);
    ensure!(
        positions(
            &day,
            &format!(
                "/events?run={cycle}&actor=scim_token:{}",
                told["token"].as_str().unwrap_or_default()
            )
        )
        .await?
            == left
    );
    for run in [cycle.to_owned(), by_hand.to_string()] {
        let (events, changes) = (format!("/events?run={run}"), format!("/runs/{run}/changes"));
        ensure!(positions(&day, &events).await? == positions(&day, &changes).await?, "{run}");
    }
    Ok(())
}

#[tokio::test]
async fn events_of_a_corrected_run_are_those_that_it_was_left_with_on_sqlite() -> Result<()> {
    events_of_a_corrected_run_are_those_that_it_was_left_with(Store::Memory).await
}

fn joins(member: &str) -> Value {
    let operation = json!({"op": "Add", "path": "members", "value": [{"value": member}]});
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]})
}

/// A group whose first member joins in a cycle, the second on demand, the third by the operator.
async fn three_join(day: &Day) -> Result<(Vec<String>, String)> {
    let ids = day.first_day().await?;
    day.at(170);
    day.probe().await?;
    let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Door A"});
    let made: Value = serde_json::from_slice(&day.send("POST", "/Groups", Some(body)).await?.body)?;
    let door = made["id"].as_str().with_context(|| format!("{made}"))?.to_owned();
    let path = format!("/Groups/{door}");
    ensure!(day.send("PATCH", &path, Some(joins(&ids[0]))).await?.status == 204);
    day.change(&ids[4], "Guard").await?;
    day.change(&ids[5], "Guard").await?;

    day.at(185);
    day.probe().await?;
    ensure!(day.send("PATCH", &path, Some(joins(&ids[1]))).await?.status == 204);

    day.at(195);
    day.operate("/scim/disable", &Value::Null).await?;
    let refused = day.send("PATCH", &path, Some(joins(&ids[2]))).await?;
    ensure!(refused.status == 503, "{refused:?}");
    day.operate("/scim/enable", &Value::Null).await?;
    let failed = refused.exchange.context("an exchange")?;
    day.operate("/replay/apply", &json!({ "exchanges": [failed] })).await?;
    Ok((ids, door))
}

async fn a_review_names_the_run_in_which_somebody_joined(store: Store<'_>) -> Result<()> {
    let day = store.day().await?;
    let (ids, door) = three_join(&day).await?;
    let review = async || {
        let rows = day.ask(&format!("/groups/{door}/review")).await?;
        let rows = rows.as_array().cloned().context("rows")?;
        let members: Vec<&str> = rows.iter().filter_map(|row| row["member_id"].as_str()).collect();
        ensure!(members == ids[..3].iter().map(String::as_str).collect::<Vec<_>>(), "{rows:?}");
        for row in rows.iter().filter(|row| !row["run"].is_null()) {
            let run = row["run"].as_str().context("a run")?;
            ensure!(day.ask(&format!("/runs/{run}")).await?["kind"] == row["run_kind"], "{row}");
            let exchanges = day.ask(&format!("/exchanges?run={run}")).await?;
            ensure!(
                exchanges.as_array().into_iter().flatten().any(|x| x["id"] == row["exchange"]),
                "{row}: {exchanges}"
            );
        }
        Ok::<_, anyhow::Error>(rows)
    };
    let rows = review().await?;
    let kinds: Vec<&Value> = rows.iter().map(|row| &row["run_kind"]).collect();
    ensure!(kinds == [&json!("incremental"), &json!("on-demand"), &Value::Null], "{rows:?}");
    ensure!(
        rows[2]["exchange"].is_string() && rows[2]["run"].is_null(),
        "the operator's request is of no run: {}",
        rows[2]
    );
    let runs: BTreeSet<String> = rows.iter().map(|row| row["run"].to_string()).collect();
    ensure!(runs.len() == 3, "{runs:?}");

    // What Entra's own log says of it counts.
    let later = day.now();
    day.at(170);
    let file = json!([
        entry(&day, "c170", "system", &ids[4]),
        entry(&day, "c170", "system", &ids[5]),
        entry(&day, "by hand", "user", &door),
    ]);
    *day.clock() = later;
    day.import(file).await?;
    let corrected = review().await?;
    let by_hand = own_run(organization(&day).await?, "by hand");
    ensure!(
        corrected[0]["run"] == by_hand.to_string() && corrected[0]["run_kind"] == "on-demand",
        "{}",
        corrected[0]
    );
    ensure!(corrected[1..] == rows[1..], "the others are as they were: {corrected:?}");
    Ok(())
}

#[tokio::test]
async fn a_review_names_the_run_in_which_somebody_joined_on_sqlite() -> Result<()> {
    a_review_names_the_run_in_which_somebody_joined(Store::Memory).await
}

#[tokio::test]
async fn events_and_reviews_know_the_run_on_postgres() -> Result<()> {
    let cluster = start_cluster().await;
    let store = Store::Postgres(&cluster);
    events_are_found_by_run(store).await?;
    events_of_a_corrected_run_are_those_that_it_was_left_with(store).await?;
    a_review_names_the_run_in_which_somebody_joined(store).await
}
