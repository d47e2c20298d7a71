//! Writers, processes and consumers at once, and processes that are killed: what each consumer got
//! is the log, in order, each event once.

use super::client::{Consumer, number};
use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use rollcall_tests::rng::Rng;
use rollcall_tests::scim::{Scim, add_members, remove_member};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::soak::times;
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const WRITERS: usize = 16;
/// In CI; ten times as many in a soak.
const KILLS: usize = 6;
const FILTERS: [&[&str]; 5] = [
    &[],
    &["--types", "user.*"],
    &["--types", "group.member_added,group.member_removed"],
    &["--types", "user.deactivated", "--payload", "notice"],
    &["--payload", "notice"],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_on_the_embedded_store() {
    on_sqlite(async |w| {
        let seed = Rng::from_env("feed killed on sqlite", 20_261_130);
        run(w, None, seed).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_postgres() {
    on_postgres(async |w, cluster| {
        let second = Server::start(Store::Postgres(cluster.url())).await?;
        let seed = Rng::from_env("feed killed on postgres", 20_261_131);
        run(w, Some(second), seed).await
    })
    .await;
}

async fn run(w: &mut World, mut second: Option<Server>, mut rng: Rng) -> Result<()> {
    let mut addresses = vec![w.server.address()];
    addresses.extend(second.as_ref().map(Server::address));
    let mut consumers = Vec::new();
    for (n, flags) in FILTERS.iter().cycle().take(FILTERS.len() * 2).enumerate() {
        let added = Consumer::add(&w.server, &format!("consumer-{n}"), flags).await?;
        consumers.push(added.at(addresses[n % addresses.len()].clone()));
    }
    let (group, stop) = (w.scim.create_group("Everybody").await?, Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|n| {
            let token = w.scim.token().unwrap_or_default();
            let scim = Scim::anonymous(addresses[n % addresses.len()].clone()).with_token(token);
            tokio::spawn(write(scim, n, group.clone(), stop.clone()))
        })
        .collect();
    let readers: Vec<_> = consumers
        .into_iter()
        .map(|consumer| tokio::spawn(follow(consumer, stop.clone())))
        .collect();
    for round in 0..times(KILLS) {
        tokio::time::sleep(rng.millis(100, 400)).await;
        match &mut second {
            Some(second) if round % 2 == 1 => {
                second.kill9()?;
                second.restart().await?;
            }
            _ => {
                w.server.kill9()?;
                w.server.restart().await?;
            }
        }
    }
    stop.store(true, Ordering::SeqCst);
    let written: usize = try_join_all(writers).await?.into_iter().sum();
    ensure!(written > WRITERS * 2, "{written} writes were answered: that shows little");
    let mut consumers = try_join_all(readers).await?.into_iter().collect::<Result<Vec<_>>>()?;
    let all = told_by_the_log(w).await?;
    for consumer in &mut consumers {
        consumer.all("").await?;
    }
    println!("{written} writes, {} events, {} kills", all.len(), times(KILLS));
    for (consumer, flags) in consumers.iter().zip(FILTERS.iter().cycle()) {
        let wanted = |name: &str| match flags {
            ["--types", "user.*", ..] => name.starts_with("user."),
            ["--types", types, ..] => types.split(',').any(|t| t == name),
            _ => true,
        };
        let place = |e: &Value| (number(e, "position"), number(e, "part"));
        let got: Vec<_> = consumer.got.iter().map(|e| (place(e), e["type"].clone())).collect();
        let expected: Vec<_> =
            all.iter().filter(|(_, name)| name.as_str().is_some_and(wanted)).cloned().collect();
        ensure!(got == expected, "{flags:?}: {} events, not {}", got.len(), expected.len());
    }
    Ok(())
}

/// Follows until nothing is written any more; what a killed process did not answer is asked again.
async fn follow(mut consumer: Consumer, stop: Arc<AtomicBool>) -> Result<Consumer> {
    while !stop.load(Ordering::SeqCst) {
        let target = format!("{}?after={}&limit=7&wait=1", consumer.feed, consumer.next);
        match consumer.ask(&target).await {
            Ok(answer) if answer.status == 200 => consumer.take(&answer.json()?)?,
            Ok(answer) if answer.status < 500 => {
                anyhow::bail!("{}: {}", answer.status, answer.text())
            }
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    Ok(consumer)
}

/// Writes until told to stop; gives how many were answered.
async fn write(scim: Scim, n: usize, group: String, stop: Arc<AtomicBool>) -> usize {
    let (mut round, mut answered) = (0, 0);
    while !stop.load(Ordering::SeqCst) {
        round += 1;
        let Ok(user) = scim.create_user(&format!("w{n}.{round}@contoso.example")).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let off = json!([{ "op": "replace", "path": "active", "value": false }]);
        let (of_user, of_group) = (format!("/Users/{user}"), format!("/Groups/{group}"));
        let steps = [
            scim.operations(&of_group, add_members(&[&user])).await,
            scim.operations(&of_user, off).await,
            scim.operations(&of_group, remove_member(&user)).await,
            if round % 2 == 0 { scim.delete(&of_user).await } else { scim.get(&of_user).await },
        ];
        answered += 1 + steps.iter().flatten().filter(|a| a.status < 300).count();
    }
    answered
}

/// What the log holds, read by the operator by another way: place and type of each event.
async fn told_by_the_log(w: &World) -> Result<Vec<((u64, u64), Value)>> {
    let mut all = Vec::new();
    for record in w.admin.events_after("acme", 0).await? {
        let name = record["type"].as_str().context("a type")?;
        let name = match name {
            "UserCreated" => "user.created",
            "UserRenamed" | "UserChanged" => "user.updated",
            "UserActivated" => "user.reactivated",
            "UserDeactivated" => "user.deactivated",
            "UserDeleted" => "user.deleted",
            "GroupCreated" => "group.created",
            "GroupMembersAdded" => "group.member_added",
            "GroupMembersRemoved" => "group.member_removed",
            _ => continue,
        };
        let parts = record["payload"]["members"].as_array().map_or(1, Vec::len) as u64;
        let position = number(&record, "position");
        all.extend((1..=parts).map(|part| ((position, part), json!(name))));
    }
    Ok(all)
}
