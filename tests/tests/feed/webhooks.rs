//! Webhooks: signed, in order, again until they are taken, and by one process at a time.

use super::client::Consumer;
use super::receiver::{Letter, Receiver};
use super::story::happen;
use super::verifiers::{refuse, says, verified};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Request;
use rollcall_tests::rng::Rng;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::soak::times;
use rollcall_tests::world::{World, start_cluster};
use serde_json::{Value, json};
use std::time::Duration;

pub const FLAGS: [&str; 4] = ["--rate-limit", "0", "--allow-private-webhooks", "true"];

pub async fn world(store: Store) -> Result<World> {
    World::around(Server::start_with(store, &std::env::temp_dir(), &FLAGS).await?).await
}

/// Adds a webhook; gives its secret.
pub async fn add(w: &World, name: &str, receiver: &Receiver, flags: &[&str]) -> Result<String> {
    let command = ["consumer", "add", "--org", "acme", "--kind", "webhook", "--name", name];
    let command = [&command[..], &["--post-to", &receiver.url], flags].concat();
    let added = w.server.cli(&command).await?;
    ensure!(added.get("token").is_none(), "{added}");
    Ok(added["secret"].as_str().context("a secret")?.to_owned())
}

pub async fn show(w: &World, name: &str) -> Result<Value> {
    w.server.cli(&["consumer", "show", "--org", "acme", name]).await
}

/// Waits until a consumer is shown to be as it should.
pub async fn until_shown(w: &World, name: &str, good: impl Fn(&Value) -> bool) -> Result<()> {
    for _ in 0..300 {
        if good(&show(w, name).await?) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("{name} is still {}", show(w, name).await?)
}

/// Each follows the one before it.
pub fn in_order(taken: &[Letter]) -> Result<()> {
    for pair in taken.windows(2) {
        let ((before, part), (position, next)) = (pair[0].place(), pair[1].place());
        let previous = pair[1].event()["previous"].as_str().map(str::to_owned);
        ensure!(previous == Some(before.to_string()), "{:?} does not follow {before}", pair[1]);
        let expected = if position == before { part + 1 } else { 1 };
        ensure!(next == expected, "part {next} at {position} follows part {part} at {before}");
    }
    Ok(())
}

#[tokio::test]
async fn deliveries_are_signed_in_order_and_tried_again() -> Result<()> {
    let w = world(Store::Sqlite).await?;
    let (doors, notices) = (Receiver::start().await?, Receiver::start().await?);
    let secret = add(&w, "doors", &doors, &[]).await?;
    let flags = ["--payload", "notice", "--types", "user.*"];
    let other = add(&w, "notices", &notices, &flags).await?;
    ensure!(doors.got().len() == 1 && doors.got()[0].event()["type"] == "rollcall.ping");
    // The first fails, and nothing overtakes it.
    doors.answer(&[(500, None), (302, Some("location: http://127.0.0.1:1/"))]);
    doors.answer(&[(204, None)]);
    happen(&w).await?;
    let told = notices.until(|taken| taken.len() == 6).await?;
    in_order(&told)?;
    let text: String = told.iter().map(|letter| letter.body.as_str()).collect();
    ensure!(!text.contains("contoso"), "a notice tells: {text}");
    until_shown(&w, "doors", |state| {
        state["failed_attempts"].as_u64() >= Some(1) && state["failing_since"].is_string()
    })
    .await?;
    // Who mended the receiver does not wait for the schedule.
    while doors.got().len() < 4 {
        w.server.cli(&["consumer", "resume", "--org", "acme", "doors"]).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let taken = doors.until(|taken| taken.len() == 10).await?;
    in_order(&taken)?;
    let got = doors.got();
    let ids: Vec<_> = got[1..4].iter().map(|l| l.headers["webhook-id"].clone()).collect();
    ensure!(ids[0] == ids[1] && ids[1] == ids[2], "another was tried: {ids:?}");
    ensure!(got[1..].iter().all(|l| l.headers["webhook-id"] == l.event()["id"]));
    // The same events, by the feed.
    let mut feed = Consumer::add(&w.server, "feed", &[]).await?;
    feed.all("").await?;
    let page = feed.ask(&feed.feed).await?.expect_json(200)?;
    ensure!(taken.iter().all(|letter| letter.event()["epoch"] == page["epoch"]), "{page}");
    let of_feed: Vec<_> = feed.got.iter().map(|event| event["id"].clone()).collect();
    let of_hook: Vec<_> = taken.iter().map(|letter| letter.event()["id"].clone()).collect();
    ensure!(of_feed == of_hook, "{of_feed:?} by the feed, {of_hook:?} by the webhook");
    verified(&[(&doors, &[&secret]), (&notices, &[&other])]).await?;
    // Nothing of a receiver's answer, and no secret, is kept or shown anywhere.
    for kept in w.admin.all_exchanges("acme").await? {
        let target =
            format!("/api/v1/organizations/acme/exchanges/{}", kept["id"].as_str().unwrap_or(""));
        let shown = w.admin.get(&target).await?.text();
        ensure!(!shown.contains(&secret) && !shown.contains("of the receiver"), "{shown}");
    }
    let log = std::fs::read_to_string(w.server.log_file())?;
    ensure!(!log.contains(&secret) && !log.contains("of the receiver"), "the log tells a secret");
    Ok(())
}

/// For a receiver that took what it was told, and lost it.
#[tokio::test]
async fn what_was_taken_is_delivered_again_when_somebody_says_so() -> Result<()> {
    let w = world(Store::Sqlite).await?;
    let receiver = Receiver::start().await?;
    add(&w, "doors", &receiver, &[]).await?;
    // It begins with what came after the position before its own records.
    let began = show(&w, "doors").await?["head"].as_u64().context("a head")? - 2;
    Consumer::add(&w.server, "feed", &[]).await?;
    happen(&w).await?;
    let first = receiver.until(|taken| taken.len() == 10).await?;
    // Within a record of many events, too: its position is that of all of them.
    for from in [3, 0, 9] {
        until_shown(&w, "doors", |state| state["lag_records"] == 0).await?;
        let before = receiver.taken().len();
        let after = first[from].place().0;
        let after_text = after.to_string();
        let again = ["consumer", "redeliver", "--org", "acme", "doors", "--after", &after_text];
        w.server.cli(&again).await?;
        let ids = |letters: &[Letter]| -> Vec<_> {
            letters.iter().map(|l| l.headers["webhook-id"].clone()).collect()
        };
        let due: Vec<Letter> = first.iter().filter(|l| l.place().0 > after).cloned().collect();
        let all = receiver.until(|taken| taken.len() >= before + due.len()).await?;
        ensure!(ids(&all[before..]) == ids(&due), "after {after}: {:?}", &all[before..]);
        in_order(&all[before..])?;
    }
    until_shown(&w, "doors", |state| state["lag_records"] == 0).await?;
    let stands = show(&w, "doors").await?["position"].as_u64().context("a position")?;
    let key = w.server.operator_key()?;
    let ask = async |consumer: &str, body: Value| {
        let target = format!("/api/v1/organizations/acme/consumers/{consumer}/redeliver");
        let request = Request::new("POST", &target)
            .header("Authorization", format!("Bearer {key}"))
            .json("application/json", &body);
        w.scim.http().fresh().send(request).await
    };
    for (status, consumer, body) in [
        (409, "doors", json!({ "after": stands + 1 })),
        (409, "doors", json!({ "after": began - 1 })),
        (409, "feed", json!({ "after": 1 })),
        (404, "nobody", json!({ "after": 1 })),
        (400, "doors", json!({})),
        (400, "doors", json!({ "after": -1 })),
        (400, "doors", json!({ "after": 1, "before": 2 })),
    ] {
        let answer = ask(consumer, body.clone()).await?;
        ensure!(answer.status == status, "{consumer} {body}: {}", answer.text());
    }
    Ok(())
}

#[tokio::test]
async fn secrets_overlap_and_a_receiver_that_is_gone_is_left_alone() -> Result<()> {
    let w = world(Store::Sqlite).await?;
    let doors = Receiver::start().await?;
    let old = add(&w, "doors", &doors, &[]).await?;
    let rotate = async |overlap: &str| {
        let command = ["consumer", "rotate", "--org", "acme", "doors", "--overlap", overlap];
        let rotated = w.server.cli(&command).await?;
        rotated["secret"].as_str().map(str::to_owned).context("a secret")
    };
    let new = rotate("7d").await?;
    let both = doors.clone();
    w.scim.create_user("ada@contoso.example").await?;
    let taken = both.until(|taken| taken.len() == 1).await?;
    let signatures = taken[0].headers["webhook-signature"].as_str().unwrap_or("").to_owned();
    ensure!(signatures.split(' ').count() == 2, "{signatures}");
    let letter = |l: &Letter, secrets: &[&str]| json!([{ "secrets": secrets, "headers": l.headers, "body": l.body }]);
    says(&letter(&taken[0], &[&old, &new])).await?;
    let newest = rotate("1s").await?;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    w.scim.create_user("bo@contoso.example").await?;
    let taken = both.until(|taken| taken.len() == 2).await?;
    says(&letter(&taken[1], &[&newest])).await?;
    refuse(&letter(&taken[1], &[&new, &old])).await?;
    // 410: it wants no more, and gets no more until somebody resumes it.
    doors.answer(&[(410, None)]);
    w.scim.create_user("cy@contoso.example").await?;
    until_shown(&w, "doors", |state| state["state"] == "stopped" && state["stopped"] == "gone")
        .await?;
    let before = doors.got().len();
    w.scim.create_user("di@contoso.example").await?;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    ensure!(doors.got().len() == before, "it is posted to all the same");
    w.server.cli(&["consumer", "resume", "--org", "acme", "doors"]).await?;
    in_order(&doors.until(|taken| taken.len() == 4).await?)
}

#[tokio::test]
async fn who_cannot_be_posted_to_is_not_taken_on() -> Result<()> {
    let receiver = Receiver::start().await?;
    let port = receiver.url.clone();
    let try_to = async |w: &World, url: &str| {
        let body = json!({ "name": "x", "kind": "webhook", "url": url });
        let request = Request::new("POST", "/api/v1/organizations/acme/consumers")
            .header("Authorization", format!("Bearer {}", w.server.operator_key()?))
            .json("application/json", &body);
        w.scim.http().fresh().send(request).await
    };
    // As it is installed: public addresses over https only, however an address is written.
    let strict = World::around(Server::start(Store::Sqlite).await?).await?;
    let inside = [
        &*port,
        "https://127.0.0.1/",
        "https://localhost/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[ff02::1]/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.0.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://198.18.0.1/",
        "https://192.0.2.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://user:pass@example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "nonsense",
    ];
    for url in inside {
        let said = try_to(&strict, url).await?.expect_json(400).with_context(|| url.to_owned())?;
        ensure!(!said.to_string().contains("of the receiver"), "{said}");
    }
    ensure!(receiver.got().is_empty(), "something was posted");
    drop(strict);
    let w = world(Store::Sqlite).await?;
    for answer in [(500, None), (301, Some("location: http://127.0.0.1:1/")), (404, None)] {
        receiver.answer(&[answer]);
        let said = try_to(&w, &port).await?.expect_json(400)?;
        ensure!(
            said["detail"].as_str().is_some_and(|d| d.contains(&answer.0.to_string())),
            "{said}"
        );
    }
    let nobody = try_to(&w, "http://127.0.0.1:1/").await?;
    nobody.expect(400)?;
    let list = w.server.cli(&["consumer", "list", "--org", "acme"]).await?;
    ensure!(list == json!([]), "{list}");
    try_to(&w, &port).await?.expect(201).map(drop)
}

/// Kills in CI; ten times as many in a soak.
const KILLS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_repeats_one_delivery_at_most_and_loses_none() -> Result<()> {
    let mut w = world(Store::Sqlite).await?;
    let mut rng = Rng::from_env("webhooks killed", 20_261_132);
    let doors = Receiver::start().await?;
    add(&w, "doors", &doors, &[]).await?;
    for round in 0..times(KILLS) {
        for n in 0..12 {
            w.scim.fresh().create_user(&format!("u{round}.{n}@contoso.example")).await?;
        }
        tokio::time::sleep(rng.millis(1, 120)).await;
        w.server.kill9()?;
        w.server.restart().await?;
    }
    let mut feed = Consumer::add(&w.server, "feed", &[]).await?;
    feed.all("").await?;
    let wanted: Vec<_> = feed.got.iter().map(|event| event["id"].clone()).collect();
    let taken = doors
        .until(|taken| {
            taken.last().is_some_and(|l| l.event()["id"] == *wanted.last().unwrap_or(&Value::Null))
        })
        .await?;
    let mut ids: Vec<_> = taken.iter().map(|letter| letter.event()["id"].clone()).collect();
    let all = ids.len();
    ids.dedup();
    ensure!(ids == wanted, "{} deliveries are not {} events in order", ids.len(), wanted.len());
    println!("{} events, {} kills, {} repetitions", wanted.len(), times(KILLS), all - ids.len());
    ensure!(all - ids.len() <= times(KILLS), "{} repetitions", all - ids.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_one_delivers_and_the_other_takes_over() -> Result<()> {
    let cluster = start_cluster().await;
    let mut w = world(Store::Postgres(cluster.url())).await?;
    let store = Store::Postgres(cluster.url());
    // Both open what is sealed with the same key.
    let key = w.server.data().join("deployment.key");
    let key = key.to_str().context("a path")?.to_owned();
    let flags = [&FLAGS[..], &["--deployment-key-file", &key]].concat();
    let second = Server::start_with(store, &std::env::temp_dir(), &flags).await?;
    let doors = Receiver::start().await?;
    add(&w, "doors", &doors, &[]).await?;
    for n in 0..20 {
        w.scim.create_user(&format!("before{n}@contoso.example")).await?;
    }
    let taken = doors.until(|taken| taken.len() >= 20).await?;
    in_order(&taken)?;
    w.server.kill9()?;
    let scim = rollcall_tests::scim::Scim::anonymous(second.address())
        .with_token(w.scim.token().context("a token")?);
    for n in 0..20 {
        scim.create_user(&format!("after{n}@contoso.example")).await?;
    }
    let taken = doors.until(|taken| taken.len() >= 40).await?;
    let mut ids: Vec<_> = taken.iter().map(|letter| letter.event()["id"].clone()).collect();
    ids.dedup();
    ensure!(ids.len() == 40 && taken.len() <= 41, "{} of {}", ids.len(), taken.len());
    Ok(())
}
