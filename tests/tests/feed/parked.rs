//! Deliveries that are set aside: others go on, nothing about one subject is out of its order, and
//! everything arrives once the receiver takes it, wherever processes are killed.

use super::client::Consumer;
use super::receiver::{Letter, Receiver};
use super::verifiers::says;
use super::webhooks::{FLAGS, add, show, until_shown};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Request;
use rollcall_tests::rng::Rng;
use rollcall_tests::scim::Scim;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::soak::times;
use rollcall_tests::world::{World, start_cluster};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// One failure is enough.
const AT_ONCE: [&str; 2] = ["--park-after", "1"];

async fn world() -> Result<World> {
    let flags = [&FLAGS[..], &AT_ONCE].concat();
    World::around(Server::start_with(Store::Sqlite, &std::env::temp_dir(), &flags).await?).await
}

async fn title(scim: &Scim, user: &str, title: &str) -> Result<()> {
    let operations = json!([{ "op": "add", "path": "title", "value": title }]);
    scim.operations(&format!("/Users/{user}"), operations).await?.expect(200).map(drop)
}

async fn parked(w: &World, command: &[&str]) -> Result<Value> {
    let (verb, more) = command.split_first().context("a command")?;
    w.server.cli(&[&["consumer", "parked", verb, "--org", "acme", "doors"], more].concat()).await
}

/// Nothing about a subject is taken before what came earlier; repetitions aside.
fn each_in_order(taken: &[Letter]) -> Result<()> {
    let mut last: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for letter in taken {
        let subject = letter.event()["subject"].as_str().unwrap_or_default().to_owned();
        let place = letter.place();
        let before = last.insert(subject.clone(), place).unwrap_or_default();
        ensure!(before <= place, "{subject}: {place:?} after {before:?}");
    }
    Ok(())
}

fn about(taken: &[Letter], user: &str) -> usize {
    let subject = format!("user/{user}");
    taken.iter().filter(|letter| letter.event()["subject"] == subject.as_str()).count()
}

#[tokio::test]
async fn what_fails_is_set_aside_and_others_go_on() -> Result<()> {
    let w = world().await?;
    let doors = Receiver::start().await?;
    let secret = add(&w, "doors", &doors, &[]).await?;
    let ada = w.scim.create_user("ada@contoso.example").await?;
    let bo = w.scim.create_user("bo@contoso.example").await?;
    doors.until(|taken| taken.len() == 2).await?;
    doors.refuse(&[&format!("user/{ada}")]);
    for n in 0..3 {
        title(&w.scim, &ada, &format!("Chief {n}")).await?;
        title(&w.scim, &bo, &format!("Deputy {n}")).await?;
    }
    let taken = doors.until(|taken| about(taken, &bo) == 4).await?;
    ensure!(about(&taken, &ada) == 1, "{taken:?}");
    until_shown(&w, "doors", |state| state["parked"] == 3 && state["lag_records"] == 0).await?;
    let needs = w.admin.get("/api/v1/organizations/acme/attention").await?.expect_json(200)?;
    let is_told = |need: &Value| need["cause"] == "deliveries-parked" && need["count"] == 3;
    ensure!(needs.as_array().is_some_and(|all| all.iter().any(is_told)), "{needs}");
    let list = parked(&w, &["list"]).await?;
    let of = |name: &str| -> Vec<Value> {
        list.as_array().into_iter().flatten().map(|row| row[name].clone()).collect()
    };
    ensure!(of("subject").iter().all(|s| *s == json!(format!("user/{ada}"))), "{list}");
    // The first was tried, once more when something else was taken; the others wait behind it.
    ensure!(of("attempts")[1..] == [json!(0), json!(0)] && of("attempts")[0] != 0, "{list}");
    ensure!(of("outcome") == [json!("status-500"), Value::Null, Value::Null], "{list}");
    let names: Vec<_> =
        of("delivery").iter().filter_map(|d| Some(d.as_str()?.to_owned())).collect();
    ensure!(parked(&w, &["show", &names[1]]).await?["delivery"] == json!(names[1]));
    // A page at a time.
    let target = "/api/v1/organizations/acme/consumers/doors/parked";
    let first = w.admin.get(&format!("{target}?limit=2")).await?.expect(200)?;
    let next = first.header("next-cursor").context("more")?.to_owned();
    let second = w.admin.get(&format!("{target}?limit=2&cursor={next}")).await?.expect(200)?;
    ensure!(second.header("next-cursor").is_none() && second.json()?[0] == list[2]);
    // One in the middle is tried after what is before it, and not at once.
    let position = list[1]["position"].to_string();
    let tried = parked(&w, &["redeliver", "--from", &position]).await?;
    ensure!(tried == json!({ "now": 0, "behind": 1 }), "{tried}");
    // Somebody has seen to the first: what waits behind it is tried.
    let because = ["handled", &names[0], "--because", "told by phone"];
    parked(&w, &because).await?;
    ensure!(parked(&w, &because).await.is_err(), "it is there no more");
    let events = w.admin.events_after(&w.acme.id, 0).await?;
    let handled = events.last().context("an event")?;
    let said = json!({ "position": list[0]["position"], "part": 1, "because": "told by phone" });
    ensure!(
        handled["type"] == "ConsumerDeliveryHandled" && handled["payload"] == said,
        "{handled}"
    );
    let second_tried = async || {
        let row = parked(&w, &["show", &names[1]]).await?;
        anyhow::Ok(row["attempts"].as_u64() >= Some(1))
    };
    while !second_tried().await? {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Mended: the rest comes, in order, with ids of before and a word that it comes again.
    doors.refuse(&[]);
    parked(&w, &["redeliver", "--all"]).await?;
    let taken = doors.until(|taken| about(taken, &ada) == 3).await?;
    each_in_order(&taken)?;
    let again: Vec<_> = taken.iter().filter(|l| l.event()["redelivery"] == true).collect();
    let ids: Vec<_> = again.iter().map(|l| l.event()["id"].clone()).collect();
    ensure!(ids == of("event")[1..], "{ids:?} of {list}");
    until_shown(&w, "doors", |state| state["parked"] == 0).await?;
    let letters: Vec<_> = again
        .iter()
        .map(|l| json!({ "secrets": [&secret], "headers": l.headers, "body": l.body }))
        .collect();
    says(&json!(letters)).await?;
    // Nothing stands in the way of what comes now.
    title(&w.scim, &ada, "Chief").await?;
    let taken = doors.until(|taken| about(taken, &ada) == 4).await?;
    ensure!(taken.last().is_some_and(|l| l.event().get("redelivery").is_none()), "{taken:?}");
    refused(&w, target).await
}

async fn refused(w: &World, target: &str) -> Result<()> {
    let key = w.server.operator_key()?;
    let post = async |at: &str, body: Value| {
        let request = Request::new("POST", format!("{target}/{at}"))
            .header("Authorization", format!("Bearer {key}"))
            .json("application/json", &body);
        w.scim.http().fresh().send(request).await
    };
    for (status, at, body) in [
        (404, "redeliver", json!({})),
        (404, "redeliver", json!({ "from": 1, "to": 2 })),
        (400, "redeliver", json!({ "from": 2, "to": 1 })),
        (400, "redeliver", json!({ "from": -1 })),
        (400, "redeliver", json!({ "position": 1 })),
        (404, "1.1/handled", json!({ "because": "x" })),
        (400, "1/handled", json!({ "because": "x" })),
        (400, "+1.1/handled", json!({ "because": "x" })),
        (400, "1.1.1/handled", json!({ "because": "x" })),
        (400, "1.1/handled", json!({ "because": "" })),
        (400, "1.1/handled", json!({})),
    ] {
        let answer = post(at, body.clone()).await?;
        ensure!(answer.status == status, "{at} {body}: {} {}", answer.status, answer.text());
    }
    Ok(())
}

/// Nobody has to say so: a receiver that was away and takes something again gets what it missed.
#[tokio::test]
async fn who_takes_something_again_gets_what_was_set_aside() -> Result<()> {
    let w = world().await?;
    let doors = Receiver::start().await?;
    add(&w, "doors", &doors, &[]).await?;
    let ada = w.scim.create_user("ada@contoso.example").await?;
    doors.until(|taken| taken.len() == 1).await?;
    doors.refuse(&["*"]);
    for n in 0..4 {
        title(&w.scim, &ada, &format!("Chief {n}")).await?;
        w.scim.create_user(&format!("u{n}@contoso.example")).await?;
    }
    until_shown(&w, "doors", |state| state["parked"] == 8).await?;
    doors.refuse(&[]);
    w.scim.create_user("last@contoso.example").await?;
    let taken = doors.until(|taken| taken.len() == 10).await?;
    each_in_order(&taken)?;
    until_shown(&w, "doors", |state| state["parked"] == 0 && state["failing_since"].is_null())
        .await?;
    // Put back, it is told everything again, and told that it comes again.
    let stands = show(&w, "doors").await?["position"].as_u64().context("a position")?;
    let after = taken[1].place().0.min(stands).to_string();
    w.server.cli(&["consumer", "redeliver", "--org", "acme", "doors", "--after", &after]).await?;
    let all = doors.until(|all| all.iter().any(|l| l.event()["redelivery"] == true)).await?;
    each_in_order(&all[..10])
}

/// Kills in CI; ten times as many in a soak.
const KILLS: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_out_of_order_on_the_embedded_store() -> Result<()> {
    let mut w = world().await?;
    let rng = Rng::from_env("parked on sqlite", 20_261_201);
    killed(&mut w, None, rng).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_out_of_order_of_two_processes() -> Result<()> {
    let cluster = start_cluster().await;
    let flags = [&FLAGS[..], &AT_ONCE].concat();
    let store = || Store::Postgres(cluster.url());
    let server = Server::start_with(store(), &std::env::temp_dir(), &flags).await?;
    let mut w = World::around(server).await?;
    let key = w.server.data().join("deployment.key");
    let flags = [&flags[..], &["--deployment-key-file", key.to_str().context("a path")?]].concat();
    let second = Server::start_with(store(), &std::env::temp_dir(), &flags).await?;
    let rng = Rng::from_env("parked on postgres", 20_261_202);
    killed(&mut w, Some(second), rng).await
}

/// Somebody is refused at each moment, and it is another one each time; the process that delivers
/// is killed meanwhile.
async fn killed(w: &mut World, second: Option<Server>, mut rng: Rng) -> Result<()> {
    let doors = Receiver::start().await?;
    add(w, "doors", &doors, &[]).await?;
    let scim = match &second {
        Some(second) => {
            Scim::anonymous(second.address()).with_token(w.scim.token().context("a token")?)
        }
        None => w.scim.clone(),
    };
    let mut people = Vec::new();
    for n in 0..6 {
        people.push(scim.create_user(&format!("u{n}@contoso.example")).await?);
    }
    for round in 0..times(KILLS) {
        let one = |rng: &mut Rng| format!("user/{}", people[rng.below(6) as usize]);
        doors.refuse(&[&one(&mut rng), &one(&mut rng)]);
        for n in 0..12 {
            let who = &people[rng.below(6) as usize];
            title(&scim.fresh(), who, &format!("{round} {n}")).await?;
        }
        tokio::time::sleep(rng.millis(1, 150)).await;
        w.server.kill9()?;
        w.server.restart().await?;
    }
    doors.refuse(&[]);
    // Whatever is not set aside by then is delivered by itself.
    until_shown(w, "doors", |state| state["lag_records"] == 0).await?;
    if show(w, "doors").await?["parked"] != 0 {
        // The last may have been made since.
        let _ = parked(w, &["redeliver", "--all"]).await;
    }
    until_shown(w, "doors", |state| state["parked"] == 0).await?;
    let taken = doors.taken();
    each_in_order(&taken)?;
    let mut feed = Consumer::add(&w.server, "feed", &[]).await?;
    feed.all("").await?;
    let mut wanted: Vec<_> = feed.got.iter().map(|event| event["id"].to_string()).collect();
    let mut got: Vec<_> = taken.iter().map(|letter| letter.event()["id"].to_string()).collect();
    let all = got.len();
    wanted.sort();
    got.sort();
    got.dedup();
    ensure!(got == wanted, "{} of {} events", got.len(), wanted.len());
    let aside = taken.iter().filter(|l| l.event()["redelivery"] == true).count();
    println!("{all} deliveries of {} events, {aside} set aside, {} kills", got.len(), times(KILLS));
    ensure!(all - got.len() <= times(KILLS) && aside > 0, "{all} deliveries, {aside} set aside");
    Ok(())
}
