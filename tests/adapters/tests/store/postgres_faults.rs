//! A server that loses connections, stops and comes back. These have a server of their own.

use crate::given::*;
use crate::log::follow;
use anyhow::ensure;
use rollcall_domain::log::*;
use rollcall_domain::sql::{Family, SqlError, SqlStore as _};
use rollcall_postgres::{ConnectOptions, PostgresLog, PostgresViews};
use rollcall_tests::postgres_cluster::PostgresCluster;
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const EVENTS: u64 = 30;
/// So many connections are cut for an append that gets through. Each cut takes the transaction
/// that is under way: without such a bound a slow machine would never get one to its end.
const CUTS_OF_AN_APPEND: u64 = 2;

/// Appends until it is told that it happened. An append that may or may not have happened is sent
/// again as the same exchange, which is what exchanges are for.
async fn surely(log: &PostgresLog, append: Append) -> anyhow::Result<Appended> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match log.append(append.clone()).await {
            Err(AppendError::Unavailable(_)) if Instant::now() < deadline => {
                tokio::task::yield_now().await
            }
            answer => return Ok(answer?),
        }
    }
}

/// Sixteen writers on two logs, some of whose appends are refused, while connections are ended at
/// random and a reader follows: every record arrives once, in order, and none is skipped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_may_be_cut_at_any_time() -> anyhow::Result<()> {
    let cluster = tokio::task::spawn_blocking(PostgresCluster::start).await??;
    let logs = [
        PostgresLog::connect(&cluster.url(), ConnectOptions::default()).await?,
        PostgresLog::connect(&cluster.url(), ConnectOptions::default()).await?,
    ];
    logs[0].append(write(user(999), 0, 1).takes(name(255))).await?;
    let (done, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let follower = tokio::spawn(follow(Arc::new(logs[1].clone()), ONE, done.clone()));
    let axe = tokio::spawn(cut(cluster.url(), done.clone(), written.clone()));
    let mut writers = JoinSet::new();
    for n in 0..16 {
        let (log, written) = (logs[n as usize % 2].clone(), written.clone());
        writers.spawn(async move {
            for round in 0..EVENTS {
                let appended =
                    surely(&log, write(user(n), round, 1).exchange(n * 1000 + u128::from(round)))
                        .await?;
                ensure!(appended.positions.is_some());
                written.fetch_add(1, Ordering::AcqRel);
                let refused = log.append(write(user(n + 100), 0, 2).takes(name(255))).await;
                ensure!(refused.is_err(), "{refused:?}");
            }
            Ok(())
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer??;
    }
    done.store(true, Ordering::Release);
    let cuts = axe.await??;
    let followed = follower.await??;
    assert!(cuts > 0, "nothing was cut");
    assert_complete(&followed);
    assert_eq!(followed.len() as u64, 16 * EVENTS + 1);
    let heads = logs[0].heads().await?;
    assert_eq!(heads, [(ONE, Head { position: 16 * EVENTS + 1, exchange_number: 16 * EVENTS })]);
    println!("{cuts} connections were cut");
    Ok(())
}

/// Ends one connection after the other, until told to stop; says how many.
async fn cut(url: String, done: Arc<AtomicBool>, written: Arc<AtomicU64>) -> sqlx::Result<u64> {
    let mut connection = PgConnection::connect(&url).await?;
    let mut cuts = 0;
    while !done.load(Ordering::Acquire) {
        if cuts > CUTS_OF_AN_APPEND * (1 + written.load(Ordering::Acquire)) {
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        }
        // Those in a transaction first: that is where it hurts.
        let sql = "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity \
                   WHERE application_name = 'rollcall' AND datname = current_database() \
                   ORDER BY xact_start IS NULL, random() LIMIT 1) AS one";
        cuts += sqlx::query(sql).fetch_all(&mut connection).await?.len() as u64;
        connection.execute("SELECT pg_sleep(random() * 0.03)").await?;
    }
    Ok(cuts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_went_away_is_unavailable_until_it_is_back() -> anyhow::Result<()> {
    let mut cluster = tokio::task::spawn_blocking(PostgresCluster::start).await??;
    let log = PostgresLog::connect(&cluster.url(), ConnectOptions::default()).await?;
    let views = PostgresViews::connect(&cluster.url(), Family::Live).await?;
    let mut transaction = views.begin(ONE).await?;
    transaction.execute("CREATE TABLE t (n BIGINT)", vec![]).await?;
    transaction.commit().await?;
    let mut version = 0;
    for hard in [false, true] {
        log.append(write(user(1), version, 1).exchange(u128::from(version) + 1)).await?;
        version += 1;
        // Connections of every kind are open and will be found dead.
        futures::future::try_join_all((0..8).map(|_| log.head(ONE))).await?;
        futures::future::try_join_all((0..8).map(|_| views.query("SELECT n FROM t", vec![])))
            .await?;
        cluster = tokio::task::spawn_blocking(move || {
            if hard { cluster.kill9() } else { cluster.stop() }.map(|()| cluster)
        })
        .await??;

        let start = Instant::now();
        let (refused, head, pong, rows, begun) = tokio::join!(
            log.append(write(user(1), version, 1).exchange(u128::from(version) + 1)),
            log.head(ONE),
            log.ping(),
            views.query("SELECT n FROM t", vec![]),
            views.begin(ONE),
        );
        assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
        assert!(matches!(head, Err(LogError::Unavailable(_))), "{head:?}");
        assert!(matches!(pong, Err(LogError::Unavailable(_))), "{pong:?}");
        assert!(matches!(rows, Err(SqlError::Unavailable(_))), "{rows:?}");
        assert!(matches!(begun.map(drop), Err(SqlError::Unavailable(_))));
        assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());

        cluster =
            tokio::task::spawn_blocking(move || cluster.start_again().map(|()| cluster)).await??;
        log.ping().await?;
        assert_eq!(log.head(ONE).await?.position, version);
        let appended =
            log.append(write(user(1), version, 1).exchange(u128::from(version) + 1)).await?;
        version += 1;
        assert_eq!(appended.positions, Some((version, version)));
        assert_eq!(views.query("SELECT n FROM t", vec![]).await?, []);
        let mut transaction = views.begin(ONE).await?;
        transaction.execute("INSERT INTO t (n) VALUES (1)", vec![]).await?;
        drop(transaction);
    }
    Ok(())
}
