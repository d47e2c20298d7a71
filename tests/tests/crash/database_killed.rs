//! PostgreSQL is killed and started again, while the server keeps running.

use super::{ALONE, Load};
use anyhow::{Context as _, Result, ensure};
use futures::FutureExt as _;
use futures::future::try_join_all;
use rollcall_tests::http::Answer;
use rollcall_tests::ledger::Audit;
use rollcall_tests::postgres_cluster::PostgresCluster;
use rollcall_tests::rng::Rng;
use rollcall_tests::scim::{Scim, user};
use rollcall_tests::soak::times;
use rollcall_tests::world::{World, on_postgres};
use std::time::{Duration, Instant};

/// In CI; ten times as many in a soak.
const KILLS: usize = 5;
/// By then the server must have noticed, or recovered.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_waits_and_recovers() {
    let _alone = ALONE.lock().await;
    on_postgres(async |w, cluster| {
        survive(w, cluster, Rng::from_env("database killed", 20_261_126)).await
    })
    .await;
}

async fn survive(w: &mut World, cluster: &mut PostgresCluster, mut rng: Rng) -> Result<()> {
    let pid = w.server.pid();
    let load = Load::begin(w, &mut rng).await?;
    let mut audit = Audit::default();
    let (mut answered, kills) = (0, times(KILLS));
    for round in 1..=kills {
        load.answers(&mut w.server).await?;
        tokio::time::sleep(rng.millis(1, 400)).await;
        cluster.kill9()?;
        away(&w.scim.fresh()).await.with_context(|| format!("after kill {round}"))?;
        load.ledger.pause(true);
        let promises = load.ledger.take();
        answered += promises.len();
        cluster.start_again()?;
        back(w, &w.scim.fresh()).await.with_context(|| format!("after restart {round}"))?;
        let kept = audit.check(&promises, &w.scim.fresh(), &w.admin, &w.acme.id, &load.group).await;
        kept.with_context(|| format!("after kill {round}"))?;
        load.ledger.no_refusal()?;
        load.ledger.pause(false);
    }
    let (ledger, group) = load.end().await?;
    audit.check(&ledger.take(), &w.scim.fresh(), &w.admin, &w.acme.id, &group).await?;
    ledger.no_refusal()?;
    println!(
        "{kills} kills, {answered} answered writes, all kept; {} answers of 503",
        ledger.unavailable()
    );
    ensure!(ledger.unavailable() > 0, "no client noticed that the database was away");
    ensure!(w.server.pid() == pid, "the server was started again");
    w.server.cli(&["views", "verify"]).await?;
    Ok(())
}

fn is_away(answer: &Answer) -> bool {
    answer.status == 503
        && answer.header("retry-after").is_some_and(|s| s.parse::<u64>().is_ok_and(|s| s > 0))
}

/// Reads and writes are answered 503 with `Retry-After` once the last process of the database has
/// gone, and from then on nothing else is answered.
async fn away(scim: &Scim) -> Result<()> {
    let begun = Instant::now();
    while !is_away(&scim.post("/Users", &user("nobody@contoso.example")).await?) {
        ensure!(begun.elapsed() < PATIENCE, "writes are still not answered 503");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Each of these waits for a connection that does not come: all at once, not one after another.
    let asked = (0..4).flat_map(|n| {
        let (create, list, read) = (scim.fresh(), scim.fresh(), scim.fresh());
        let body = user(&format!("nobody{n}@contoso.example"));
        [
            async move { create.post("/Users", &body).await }.boxed(),
            async move { list.get("/Users?count=1").await }.boxed(),
            async move { read.get("/Users/00000000-aaaa-4bbb-8ccc-000000000000").await }.boxed(),
        ]
    });
    for answer in try_join_all(asked).await? {
        ensure!(
            is_away(&answer),
            "{}: {} {:?} {}",
            answer.asked,
            answer.status,
            answer.header("retry-after"),
            answer.text()
        );
    }
    let alive = scim.send(rollcall_tests::http::Request::new("GET", "/healthz")).await?;
    let ready = scim.send(rollcall_tests::http::Request::new("GET", "/readyz")).await?;
    ensure!(
        alive.status == 200 && ready.status == 503,
        "healthz {} and readyz {}",
        alive.status,
        ready.status
    );
    Ok(())
}

async fn back(w: &mut World, scim: &Scim) -> Result<()> {
    let begun = Instant::now();
    loop {
        w.server.still_running()?;
        let answer = scim.get("/Users?count=0").await?;
        if answer.status == 200 {
            println!("served again {} ms after the database was back", begun.elapsed().as_millis());
            return Ok(());
        }
        ensure!(is_away(&answer), "{}: {} {}", answer.asked, answer.status, answer.text());
        ensure!(begun.elapsed() < PATIENCE, "still away {PATIENCE:?} after the database was back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
