//! Many at once.

use crate::fixture::Logs;
use crate::given::*;
use anyhow::ensure;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinSet;

const ROUNDS: u64 = 40;

/// Reads an organization's records as they come, and fails on any that is out of its place.
pub async fn follow(
    log: Arc<dyn Log>,
    organization: OrganizationId,
    done: Arc<AtomicBool>,
) -> anyhow::Result<Vec<Record>> {
    let mut seen: Vec<Record> = Vec::new();
    loop {
        // Asked before the page is read, so that the last page is read after the last append.
        let last = done.load(Ordering::Acquire);
        let Ok(page) = log.records(organization, seen.len() as u64, 50).await else {
            tokio::task::yield_now().await;
            continue;
        };
        for record in page.iter() {
            ensure!(
                record.position == seen.len() as u64 + 1,
                "{} follows {}",
                record.position,
                seen.len()
            );
            seen.push(record.clone());
        }
        if last && page.is_empty() {
            return Ok(seen);
        }
        tokio::task::yield_now().await;
    }
}

pub async fn sixteen_writers_leave_no_gap(it: Logs) -> anyhow::Result<()> {
    it.log.append(write(user(999), 0, 1).takes(name(255))).await?;
    let done = Arc::new(AtomicBool::new(false));
    let follower = tokio::spawn(follow(it.log.clone(), ONE, done.clone()));
    let mut writers = JoinSet::new();
    for n in 0..16 {
        let log = it.log.clone();
        writers.spawn(async move {
            let organization = if n % 4 == 0 { TWO } else { ONE };
            let mut mine = 0;
            for round in 0..ROUNDS {
                let appended = log
                    .append(
                        write(user_in(organization, n), mine, 1 + (round % 3) as usize)
                            .exchange(n * 1000 + u128::from(round)),
                    )
                    .await?;
                mine += 1 + round % 3;
                ensure!(appended.positions.is_some_and(|(first, last)| last - first == round % 3));
                // One in three is refused: too late, or for a name that is taken.
                let refused = match round % 6 {
                    0 => log.append(write(user_in(organization, n), mine - 1, 2)).await,
                    3 => {
                        log.append(
                            write(user(n + 100), 0, 2)
                                .takes(name(255))
                                .exchange(n * 1000 + 500 + u128::from(round)),
                        )
                        .await
                    }
                    _ => continue,
                };
                ensure!(refused.is_err(), "{refused:?}");
            }
            anyhow::Ok((organization, mine))
        });
    }
    let mut expected = [(ONE, 1), (TWO, 0)];
    while let Some(written) = writers.join_next().await {
        let (organization, events) = written??;
        expected.iter_mut().filter(|e| e.0 == organization).for_each(|e| e.1 += events);
    }
    done.store(true, Ordering::Release);
    let followed = follower.await??;
    for (organization, events) in expected {
        let records = all_records(&it.log, organization).await?;
        assert_complete(&records);
        assert_eq!(records.len() as u64, events);
        assert_eq!(it.log.head(organization).await?.position, events);
    }
    assert_eq!(followed, all_records(&it.log, ONE).await?);
    let numbers: Vec<_> =
        it.log.exchanges(ONE, 0, 10_000, Bodies::Skip).await?.iter().map(|x| x.number).collect();
    assert_eq!(numbers, (1..=12 * ROUNDS).collect::<Vec<_>>());
    Ok(())
}

pub async fn one_of_many_wins_a_race(it: Logs) -> anyhow::Result<()> {
    for round in 0..10 {
        let raced =
            futures::future::join_all((0..16).map(|_| it.log.append(write(user(1), round, 1))))
                .await;
        assert_eq!(raced.iter().filter(|r| r.is_ok()).count(), 1);
        let lost =
            Err(AppendError::LostRace { stream: user(1), expected: round, actual: round + 1 });
        assert_eq!(raced.iter().filter(|r| **r == lost).count(), 15, "{raced:?}");
    }
    Ok(())
}

pub async fn one_of_many_gets_a_claim(it: Logs) -> anyhow::Result<()> {
    let raced = futures::future::join_all(
        (0..32).map(|n| it.log.append(write(user(n), 0, 1).takes(name(1)))),
    )
    .await;
    assert_eq!(raced.iter().filter(|r| r.is_ok()).count(), 1);
    assert_eq!(
        raced.iter().filter(|r| matches!(r, Err(AppendError::ClaimTaken { .. }))).count(),
        31
    );
    let records = all_records(&it.log, ONE).await?;
    assert_eq!(it.log.holder(&name(1)).await?, Some(records[0].stream));
    assert_eq!(records.len(), 1);
    Ok(())
}
