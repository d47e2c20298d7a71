//! What only KurrentDB promises: several processes with an index of their own each.

use crate::fixture::kurrent::{Server, options};
use crate::given::*;
use crate::restore::{backup, fill};
use anyhow::ensure;
use rollcall_domain::claim::ClaimKind;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::*;
use rollcall_eventstore::{ConnectOptions, KurrentLog};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_write_one_organization() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let logs: [Arc<dyn Log>; 2] = [Arc::new(it.log("one").await?), Arc::new(it.log("two").await?)];
    let mut writers = JoinSet::new();
    for n in 0..16 {
        let log = logs[n as usize % 2].clone();
        writers.spawn(async move {
            for round in 0..20 {
                log.append(write(user(n), round, 1).exchange(n * 1000 + u128::from(round))).await?;
                // Both processes' writers want these, at about the same time.
                let wanted = write(user(n + 100), round, 1)
                    .takes(name(round as u8))
                    .exchange(n * 1000 + 500 + u128::from(round));
                match log.append(wanted).await {
                    Err(AppendError::ClaimTaken { .. }) => {
                        log.append(write(user(n + 100), round, 1)).await?
                    }
                    appended => appended?,
                };
            }
            anyhow::Ok(())
        });
    }
    while let Some(written) = writers.join_next().await {
        written??;
    }
    let head = logs[0].head(ONE).await?;
    assert_eq!(head, Head { position: 640, exchange_number: 320 + 20 });
    for log in &logs {
        assert_eq!(log.head(ONE).await?, head);
        let records = all_records(log, ONE).await?;
        assert_complete(&records);
        assert_eq!(records.len(), 640);
        assert_eq!(log.claims(ONE, None, 100).await?.len(), 20);
        let exchanges = log.exchanges(ONE, 0, 1000, Bodies::Read).await?;
        assert!(exchanges.iter().map(|x| x.number).eq(1..=340));
    }
    Ok(())
}

/// Two who say the same, word for word, are still two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_appends_of_two_processes_are_one_and_a_lost_race() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let (one, two) = (it.log("one").await?, it.log("two").await?);
    for round in 0..20 {
        let (a, b) = tokio::join!(
            one.append(write(user(1), round, 1)),
            two.append(write(user(1), round, 1))
        );
        ensure!(a.is_ok() != b.is_ok(), "{a:?} and {b:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_of_the_deployment_has_one_holder_among_processes() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let (one, two) = (it.log("one").await?, it.log("two").await?);
    let wide = |n| claim_in(OrganizationId::NONE, ClaimKind::Domain, n);
    for n in 0..10 {
        let (a, b) = tokio::join!(
            one.append(write(user(n), 0, 1).takes(wide(n as u8))),
            two.append(write(user_in(TWO, n), 0, 1).takes(wide(n as u8)))
        );
        ensure!(a.is_ok() != b.is_ok(), "{a:?} and {b:?}");
        let winner = if a.is_ok() { user(n) } else { user_in(TWO, n) };
        assert_eq!(one.holder(&wide(n as u8)).await?, Some(winner));
        assert_eq!(two.holder(&wide(n as u8)).await?, Some(winner));
        // It goes from one organization to the other.
        let (holder, next) = if a.is_ok() { (&one, &two) } else { (&two, &one) };
        holder.append(write(winner, 1, 1).releases(wide(n as u8))).await?;
        let heir = user_in(if a.is_ok() { TWO } else { ONE }, n + 100);
        next.append(write(heir, 0, 1).takes(wide(n as u8))).await?;
        assert_eq!(holder.holder(&wide(n as u8)).await?, Some(heir));
    }
    Ok(())
}

#[tokio::test]
async fn an_index_that_is_thrown_away_is_made_again() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let log: Arc<dyn Log> = Arc::new(it.log("index").await?);
    fill(&log).await?;
    log.drop_bodies(ONE, 0, 3).await?;
    let before = (backup(&log).await?, log.heads().await?);
    drop(log);
    // Whatever is left of it.
    for left in [None, Some("not a database, but long enough to be looked at as one\n".repeat(20))]
    {
        std::fs::remove_dir_all(it.index("index"))?;
        if let Some(left) = left {
            std::fs::create_dir(it.index("index"))?;
            std::fs::write(it.index("index").join("kurrent-index.db"), left)?;
        }
        let log: Arc<dyn Log> = Arc::new(it.log("index").await?);
        assert_eq!((backup(&log).await?, log.heads().await?), before);
        assert!(log.append(bare(ONE, 101)).await?.repeated);
        assert_eq!(
            log.append(write(user(1), 2, 1)).await,
            Err(AppendError::LostRace { stream: user(1), expected: 2, actual: 3 })
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_index_has_one_owner() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let owner = it.log("index").await?;
    let refused = it.log("index").await.err().map(|e| e.to_string()).unwrap_or_default();
    assert!(refused.contains("in use by another process"), "{refused}");
    drop(owner);
    // Its writers end on their own.
    let begun = Instant::now();
    while it.log("index").await.is_err() {
        ensure!(begun.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_long_lies_beside_and_comes_back() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let log = it.log("index").await?;
    let mut long = write(user(1), 0, 3).exchange(1);
    let payload = |n: usize| format!(r#"{{"long": "{}"}}"#, "ä".repeat(n));
    if let (Some(write), Some(exchange)) = (&mut long.write, &mut long.exchange) {
        for (event, n) in write.events.iter_mut().zip([700_000, 30_000, 1]) {
            event.payload = payload(n);
        }
        exchange.request_body = (0..1_500_000_u32).map(|n| (n % 251) as u8).collect();
        exchange.answer_body = vec![7; 900_001];
    }
    log.append(long.clone()).await?;
    // Many at once, each of which would fit, and all together would not.
    let many = (2..12).map(|n| {
        let mut append = write(user(n), 0, 1).exchange(n);
        append
            .write
            .iter_mut()
            .flat_map(|w| &mut w.events)
            .for_each(|e| e.payload = payload(100_000));
        log.append(append)
    });
    futures::future::try_join_all(many).await?;
    drop(log);
    let again = it.log("anew").await?;
    let records = again.load(&user(1), 0).await?;
    assert!(records.iter().map(|r| r.payload.clone()).eq([700_000, 30_000, 1].map(payload)));
    let kept = again.exchange(ONE, ExchangeId(Uuid::from_u128(1))).await?.map(|x| x.exchange);
    assert!(kept == long.exchange);
    assert_eq!(
        again.records(ONE, 3, 100).await?.iter().filter(|r| r.payload == payload(100_000)).count(),
        10
    );
    Ok(())
}

#[tokio::test]
async fn logs_under_two_names_do_not_meet() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let here = it.log("one").await?;
    let elsewhere = ConnectOptions { prefix: "other".into(), ..options() };
    let there = KurrentLog::connect(&it.url, &it.index("two"), elsewhere).await?;
    here.append(write(user(1), 0, 2).takes(name(1)).exchange(1)).await?;
    here.claim_key(ONE, [1; 32]).await?;
    assert_eq!(there.heads().await?, []);
    assert_eq!(there.claim_keys().await?, []);
    assert_eq!(
        there.append(write(user(2), 0, 1).takes(name(1)).exchange(1)).await?.positions,
        Some((1, 1))
    );
    assert_eq!(here.holder(&name(1)).await?, Some(user(1)));
    Ok(())
}
