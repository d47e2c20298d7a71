//! A consumer from its first day to its last.

use super::client::{Consumer, number};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Request;
use rollcall_tests::on_both;
use rollcall_tests::scim::{add_members, remove_member};
use rollcall_tests::world::World;
use serde_json::json;
use std::time::{Duration, Instant};

on_both!(what_happens_is_told_in_order);
on_both!(a_filter_leaves_out_and_the_chain_still_holds);
on_both!(who_waits_is_told_at_once);
on_both!(keys_come_and_go);
on_both!(a_place_is_kept_here);

/// Two users, a group, members at once, a change, an end.
pub async fn happen(w: &World) -> Result<[String; 3]> {
    let ada = w.scim.create_user("ada@contoso.example").await?;
    let bo = w.scim.create_user("bo@contoso.example").await?;
    let doors = w.scim.create_group("Doors").await?;
    w.scim.operations(&format!("/Groups/{doors}"), add_members(&[&ada, &bo])).await?.expect(204)?;
    let patch = json!([
        { "op": "add", "path": "title", "value": "Chief" },
        { "op": "replace", "path": "userName", "value": "ada.keller@contoso.example" },
        { "op": "replace", "path": "active", "value": false },
    ]);
    w.scim.operations(&format!("/Users/{ada}"), patch).await?.expect(200)?;
    w.scim.operations(&format!("/Groups/{doors}"), remove_member(&ada)).await?.expect(204)?;
    w.scim.delete(&format!("/Users/{bo}")).await?.expect(204)?;
    Ok([ada, bo, doors])
}

async fn what_happens_is_told_in_order(w: &mut World) -> Result<()> {
    let mut mirror = Consumer::add(&w.server, "mirror", &[]).await?;
    let [ada, bo, doors] = happen(w).await?;
    // Whatever the page: a record is never torn.
    for limit in [1, 3, 1_000] {
        let mut again = Consumer { got: Vec::new(), next: 0, ..mirror.clone() };
        again.all(&format!("&limit={limit}")).await?;
        ensure!(mirror.got.is_empty() || mirror.got == again.got, "limit {limit} tells otherwise");
        mirror = again;
    }
    let types = [
        "user.created",
        "user.created",
        "group.created",
        "group.member_added",
        "group.member_added",
        "user.updated",
        "user.updated",
        "user.deactivated",
        "group.member_removed",
        "user.deleted",
    ];
    let mut told = mirror.types();
    // One request changes several things; their order is its own business.
    told[5..8].sort_unstable();
    let mut expected = types;
    expected[5..8].sort_unstable();
    ensure!(told == expected, "{told:?}");
    let [first, .., added, second] = &mirror.got[..5] else { anyhow::bail!("{:?}", mirror.got) };
    ensure!(first["data"]["attributes"]["userName"] == "ada@contoso.example", "{first}");
    ensure!(first["subject"] == json!({ "kind": "user", "id": ada }), "{first}");
    ensure!(added["data"]["member"] == ada && second["data"]["member"] == bo, "{added} {second}");
    ensure!(added["position"] == second["position"] && added["id"] != second["id"], "{second}");
    ensure!(added["subject"]["id"] == doors && number(second, "parts") == 2, "{second}");
    let title = mirror.got.iter().find(|e| e["data"]["changed"] == json!(["title"]));
    ensure!(title.context("a title")?["data"]["values"] == json!({ "title": "Chief" }));
    // What is told is what is in the log: the exchange of each is one that changed something.
    for event in &mirror.got {
        let id = event["exchange"].as_str().context("an exchange")?;
        let target = format!("/api/v1/organizations/acme/exchanges/{id}");
        w.admin.get(&target).await?.expect(200)?;
    }
    Ok(())
}

async fn a_filter_leaves_out_and_the_chain_still_holds(w: &mut World) -> Result<()> {
    let mut all = Consumer::add(&w.server, "all", &[]).await?;
    let filters = [
        "user.*",
        "group.member_added",
        "user.deleted,group.*",
        "login.*,session.ended",
        "user.deactivated",
    ];
    let mut filtered = Vec::new();
    for (n, types) in filters.iter().enumerate() {
        let flags = ["--types", types, "--payload", "notice"];
        filtered.push((*types, Consumer::add(&w.server, &format!("part-{n}"), &flags).await?));
    }
    for _ in 0..2 {
        happen_again(w).await?;
        all.all("").await?;
        for (types, consumer) in &mut filtered {
            // Small pages, so that the link to the one before is looked up again and again; and by
            // a process that remembers nothing of it, at other places than it was asked before.
            consumer.all("&limit=1").await?;
            let wanted = |name: &str| {
                types.split(',').any(|t| {
                    t == name || name.starts_with(t.trim_end_matches('*')) && t.ends_with('*')
                })
            };
            let expected: Vec<_> = all
                .got
                .iter()
                .filter(|e| e["type"].as_str().is_some_and(wanted))
                .map(|e| (&e["id"], &e["position"], &e["part"], &e["time"], &e["subject"]))
                .collect();
            let got: Vec<_> = consumer
                .got
                .iter()
                .map(|e| (&e["id"], &e["position"], &e["part"], &e["time"], &e["subject"]))
                .collect();
            ensure!(got == expected, "{types}: {got:?} instead of {expected:?}");
            let told = json!(consumer.got).to_string();
            ensure!(!told.contains("contoso") && !told.contains("Doors"), "a notice tells: {told}");
        }
        w.server.terminate().await?;
        w.server.restart().await?;
    }
    // From anywhere, the page says what stands before it.
    for (types, consumer) in &filtered {
        let target = |after: u64| format!("{}?after={after}&limit=1", consumer.feed);
        for after in (0..consumer.next).rev().step_by(3) {
            let page = consumer.ask(&target(after)).await?.expect_json(200)?;
            let before = consumer.got.iter().map(|e| number(e, "position"));
            let before = before.filter(|p| *p <= after).max().unwrap_or(0);
            ensure!(number(&page, "previous") == before, "{types} after {after}: {page}");
        }
    }
    Ok(())
}

async fn happen_again(w: &World) -> Result<()> {
    let [ada, _, doors] = happen(w).await?;
    w.scim.delete(&format!("/Users/{ada}")).await?.expect(204)?;
    w.scim.delete(&format!("/Groups/{doors}")).await?.expect(204).map(drop)
}

/// Longer than any test may take: who waits so long was not told.
const LONG: Duration = Duration::from_secs(25);

async fn who_waits_is_told_at_once(w: &mut World) -> Result<()> {
    let mut patient = Consumer::add(&w.server, "patient", &["--types", "user.*"]).await?;
    patient.all("").await?;
    let began = Instant::now();
    let page = patient.step("&wait=1").await?;
    ensure!(page["events"] == json!([]) && page["complete"] == true, "{page}");
    ensure!(began.elapsed() >= Duration::from_millis(900), "it did not wait");
    let waiting = tokio::spawn({
        let mut patient = patient.clone();
        async move { patient.step("&wait=30").await }
    });
    // What is not for it does not wake it, and is behind it when something is.
    w.scim.create_group("Doors").await?;
    w.scim.create_user("ada@contoso.example").await?;
    let page = tokio::time::timeout(LONG, waiting).await.context("it waits still")???;
    ensure!(page["events"][0]["type"] == "user.created", "{page}");
    // A server that stops lets nobody wait.
    patient.all("").await?;
    let waiting = tokio::spawn(async move { patient.step("&wait=30").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    ensure!(w.server.terminate().await?.success());
    ensure!(began.elapsed() < Duration::from_secs(15), "stopping took {:?}", began.elapsed());
    let page = tokio::time::timeout(LONG, waiting).await.context("it waits still")???;
    ensure!(page["events"] == json!([]), "{page}");
    w.server.restart().await
}

async fn keys_come_and_go(w: &mut World) -> Result<()> {
    let mut old = Consumer::add(&w.server, "Doors", &[]).await?;
    old.all("").await?;
    let one = |verb: &'static str| ["consumer", verb, "--org", "acme", "doors"];
    w.server.cli(&one("pause")).await?;
    old.ask(&old.feed).await?.expect(403)?;
    w.scim.create_user("ada@contoso.example").await?;
    w.server.cli(&one("resume")).await?;
    old.all("").await?;
    ensure!(old.types() == ["user.created"], "{:?}", old.types());
    // Two keys at once, for as long as was said; a third one ends the first.
    let rotated = w.server.cli(&[&one("rotate")[..], &["--overlap", "7d"]].concat()).await?;
    let token = |v: &serde_json::Value| v["token"].as_str().map(str::to_owned).context("a token");
    let second = Consumer { token: token(&rotated)?, ..old.clone() };
    for holder in [&old, &second] {
        holder.ask(&holder.feed).await?.expect(200)?;
    }
    let rotated = w.server.cli(&[&one("rotate")[..], &["--overlap", "1s"]].concat()).await?;
    let third = Consumer { token: token(&rotated)?, ..old.clone() };
    old.ask(&old.feed).await?.expect(401)?;
    third.ask(&third.feed).await?.expect(200)?;
    let deadline = Instant::now() + LONG;
    while second.ask(&second.feed).await?.status != 401 {
        ensure!(Instant::now() < deadline, "a key outlives its overlap");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Its key opens nothing else, and nobody else's feed.
    let other = Consumer::add(&w.server, "other", &[]).await?;
    third.ask(&other.feed).await?.expect(404)?;
    for closed in ["users", "events", "consumers", "exchanges"] {
        third.ask(&format!("/api/v1/organizations/acme/{closed}")).await?.expect(403)?;
    }
    third.ask("/api/v1/organizations").await?.expect(403)?;
    // What it did is evidence, and who it is stands in it; asking in vain is not.
    let kept = w.admin.all_exchanges("acme").await?;
    let reads = kept.iter().filter(|x| x["operation"] == "feed.read");
    ensure!(reads.clone().any(|x| x["status"] == 200) && reads.clone().any(|x| x["status"] == 403));
    let list = w.server.cli(&["consumer", "list", "--org", "acme"]).await?;
    ensure!(list[0]["name"] == "Doors" && list[0]["lag_records"].as_u64() < Some(20), "{list}");
    w.server.cli(&one("remove")).await?;
    third.ask(&third.feed).await?.expect(401)?;
    let gone = w.server.command(&one("show")).await?;
    ensure!(!gone.status.success(), "a removed consumer is shown");
    // Its name is free.
    Consumer::add(&w.server, "dOORS", &[]).await.map(drop)
}

async fn a_place_is_kept_here(w: &mut World) -> Result<()> {
    let consumer = Consumer::add(&w.server, "keeps", &[]).await?;
    happen(w).await?;
    let first = consumer.ask(&format!("{}?limit=2", consumer.feed)).await?.expect_json(200)?;
    let next = number(&first, "next");
    let place = consumer.feed.replace("/feed", "/position");
    let keep = async |from: u64, to: u64| {
        let body = json!({ "from": from, "to": to });
        let request = Request::new("POST", &place)
            .header("Authorization", format!("Bearer {}", consumer.token))
            .json("application/json", &body);
        consumer.http.send(request).await
    };
    keep(0, next).await?.expect(204)?;
    // Two processes of one consumer: the second learns that it is late.
    keep(0, next + 1).await?.expect(409)?;
    keep(next, 1_000_000).await?.expect(409)?;
    w.server.kill9()?;
    w.server.restart().await?;
    let on = consumer.ask(&format!("{}?limit=2", consumer.feed)).await?.expect_json(200)?;
    ensure!(on["previous"] == first["events"][1]["position"], "{on} does not follow {first}");
    ensure!(on["events"][0]["previous"] == first["events"][1]["position"], "{on}");
    let shown = w.server.cli(&["consumer", "show", "--org", "acme", "keeps"]).await?;
    ensure!(shown["position"] == next && number(&shown, "lag_records") > 0, "{shown}");
    Ok(())
}
