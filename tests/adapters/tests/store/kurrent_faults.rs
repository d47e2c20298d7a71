//! What goes wrong between the log and a KurrentDB server.

use crate::fixture::kurrent::{Server, connect, options};
use crate::given::*;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use rollcall_eventstore::{ConnectOptions, KurrentLog};
use rollcall_kurrent_standin::{Fault, Refusal};
use std::sync::Arc;
use std::time::Duration;

/// Each fault hits the append of the bodies, and then that of the events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_is_there_once_whatever_becomes_of_its_answer() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let log: Arc<dyn Log> = Arc::new(it.log("index").await?);
    let here = Refusal::NotLeader("127.0.0.1".into(), it.address.port());
    let faults = [
        Fault::Before(here),
        Fault::Before(Refusal::Busy),
        Fault::Before(Refusal::Cut),
        Fault::After(Refusal::Busy),
        Fault::After(Refusal::Cut),
        Fault::Unanswered,
    ];
    log.append(bare(ONE, 1)).await?;
    let mut version = 0;
    for fault in faults {
        for times in [1, 2] {
            (0..times).for_each(|_| it.faults.at_next_append(fault.clone()));
            let append = write(user(1), version, 2)
                .takes(name(version as u8))
                .exchange(100 + u128::from(version));
            let appended = log.append(append).await;
            assert_eq!(
                appended.map(|a| a.positions),
                Ok(Some((version + 1, version + 2))),
                "{fault:?}"
            );
            version += 2;
            log.append(bare(ONE, 1000 + u128::from(version))).await?;
            let records = all_records(&log, ONE).await?;
            assert_complete(&records);
            assert_eq!(records.len() as u64, version);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_answers_lose_and_double_nothing() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let logs: [Arc<KurrentLog>; 2] =
        [Arc::new(it.log("one").await?), Arc::new(it.log("two").await?)];
    it.faults.lose_every(3);
    let writers = (0..8).map(|n| {
        let log = logs[n as usize % 2].clone();
        async move {
            for round in 0..15 {
                log.append(write(user(n), round, 1).exchange(n * 1000 + u128::from(round))).await?;
            }
            anyhow::Ok(())
        }
    });
    futures::future::try_join_all(writers).await?;
    it.faults.lose_every(0);
    let log: Arc<dyn Log> = logs[1].clone();
    let records = all_records(&log, ONE).await?;
    assert_complete(&records);
    assert_eq!(records.len(), 120);
    assert_eq!(log.head(ONE).await?, Head { position: 120, exchange_number: 120 });
    Ok(())
}

/// The server drops a repetition whose first delivery is written and not yet replicated.
#[tokio::test]
async fn a_repetition_without_an_answer_is_looked_for() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let log = it.log("index").await?;
    log.append(write(user(1), 0, 1)).await?;
    it.faults.leave_repetitions_unanswered(true);
    it.faults.at_next_append(Fault::Unanswered);
    assert_eq!(log.append(write(user(1), 1, 1)).await?.positions, Some((2, 2)));
    assert_eq!(log.append(write(user(1), 2, 1)).await?.positions, Some((3, 3)));
    Ok(())
}

/// Two processes write while the server dies again and again; with `ROLLCALL_SOAK` far more often.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_the_death_of_the_server() -> anyhow::Result<()> {
    let rounds: u64 = if std::env::var_os("ROLLCALL_SOAK").is_some() { 400 } else { 4 };
    let mut it = Server::start().await?;
    let logs: [Arc<KurrentLog>; 2] =
        [Arc::new(it.log("one").await?), Arc::new(it.log("two").await?)];
    for round in 0..rounds {
        it.faults.leave_repetitions_unanswered(round % 2 == 1);
        let writers = (0..4).map(|n| {
            let log = logs[n as usize % 2].clone();
            async move {
                let mut answered = Vec::new();
                for i in 0..10 {
                    let append = write(user(n), round * 10 + i, 1)
                        .exchange(u128::from(round) * 1000 + n * 100 + u128::from(i));
                    // As a client does: what is not answered is sent again.
                    answered.push(loop {
                        if let Ok(appended) = log.append(append.clone()).await {
                            break (
                                appended.positions,
                                appended.exchange_number,
                                append.exchange.map(|x| x.id),
                            );
                        }
                    });
                }
                answered
            }
        });
        let writing = tokio::spawn(futures::future::join_all(writers.collect::<Vec<_>>()));
        tokio::time::sleep(Duration::from_millis(5 + 13 * (round % 5))).await;
        it.kill();
        tokio::time::sleep(Duration::from_millis(20)).await;
        it.run().await?;
        for (positions, number, id) in writing.await?.into_iter().flatten() {
            let number = number.unwrap_or_default();
            let kept = logs[round as usize % 2].exchanges(ONE, number - 1, 1, Bodies::Skip).await?;
            assert!(
                kept.iter().all(|x| (x.positions, Some(x.exchange.id)) == (positions, id))
                    && kept.len() == 1,
                "{kept:?}"
            );
        }
    }
    let all = rounds * 40;
    for log in logs {
        let log: Arc<dyn Log> = log;
        let records = all_records(&log, ONE).await?;
        assert_complete(&records);
        assert_eq!(records.len() as u64, all);
        assert_eq!(log.head(ONE).await?, Head { position: all, exchange_number: all });
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_late_is_waited_for_and_one_that_never_comes_is_told()
-> anyhow::Result<()> {
    let mut it = Server::start().await?;
    it.kill();
    let (url, index) = (it.url.clone(), it.index("index"));
    let connecting = tokio::spawn(async move { connect(&url, &index).await });
    tokio::time::sleep(Duration::from_millis(1500)).await;
    it.run().await?;
    drop(connecting.await??);
    let impatient = ConnectOptions { patience: Duration::from_millis(300), ..options() };
    let log = KurrentLog::connect(&it.url, &it.index("impatient"), impatient.clone()).await?;
    log.append(bare(OrganizationId::NONE, 1)).await?;
    log.ping().await?;
    it.kill();
    assert!(matches!(log.ping().await, Err(LogError::Unavailable(_))));
    assert!(matches!(
        log.append(bare(OrganizationId::NONE, 2)).await,
        Err(AppendError::Unavailable(_))
    ));
    let refused = KurrentLog::connect(&it.url, &it.index("other"), impatient)
        .await
        .err()
        .map(|e| e.to_string())
        .unwrap_or_default();
    assert!(refused.starts_with("the KurrentDB server cannot be used"), "{refused}");
    // It is there again, and everything goes on.
    it.run().await?;
    assert_eq!(log.append(bare(OrganizationId::NONE, 2)).await?.exchange_number, Some(2));
    Ok(())
}
