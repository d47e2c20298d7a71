//! User creates, in turn with what the store can do by itself.

use crate::plan::Plan;
use anyhow::Result;
use rollcall_tests::bench::baseline::{pgbench_inserts, sqlite_inserts};
use rollcall_tests::bench::directory::create_users;
use rollcall_tests::bench::machine::Cpu;
use rollcall_tests::bench::report::{Figure, Goal, median};
use rollcall_tests::bench::wire::Until;
use rollcall_tests::postgres_cluster::PostgresCluster;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;
use std::time::Duration;

/// Numbers left out between two loads: connections count a little beyond the end of one.
const GAP: u64 = 100;

/// SQLite against commits of one row.
pub async fn on_sqlite(plan: &Plan) -> Result<Figure> {
    let w = World::around(Server::start_in(Store::Sqlite, &plan.folder).await?).await?;
    let time = Duration::from_secs(plan.pick(4, 1));
    let baseline = async || sqlite_inserts(&plan.folder, time);
    let (ratio, details) = in_turn(plan, &w, time, "one-row commits/s", baseline).await?;
    Ok(Figure::new(
        "SQLite: user creates / one-row commits",
        ratio,
        "",
        Goal::AtLeast(0.8),
        details,
    ))
}

/// PostgreSQL against `pgbench`.
pub async fn on_postgres(plan: &Plan) -> Result<Figure> {
    let cluster = PostgresCluster::start()?;
    let w = World::around(Server::start_in(Store::Postgres(cluster.url()), &plan.folder).await?)
        .await?;
    let time = Duration::from_secs(plan.pick(5, 2));
    let baseline = async || pgbench_inserts(&cluster.url(), &plan.folder, time).await;
    let (ratio, details) =
        in_turn(plan, &w, time, "pgbench transactions/s at 16 clients", baseline).await?;
    Ok(Figure::new("PostgreSQL: user creates / pgbench", ratio, "", Goal::AtLeast(0.3), details))
}

/// Rounds of baseline, load, baseline; the ratio of each round is to the mean of its two baselines.
async fn in_turn(
    plan: &Plan,
    w: &World,
    time: Duration,
    unit: &str,
    baseline: impl AsyncFn() -> Result<f64>,
) -> Result<(f64, String)> {
    let mut next = create_users(w, 0, Until::Time(time)).await?.requests + GAP;
    let (mut ratios, mut rates, mut bases) = (Vec::new(), Vec::new(), Vec::new());
    let (cpu, mut created, mut generator) = (Cpu::of_server(&w.server)?, 0, 0.0);
    let mut before = baseline().await?;
    for round in 0..plan.pick(5, 2) {
        let own = Cpu::of(std::process::id())?;
        let driven = create_users(w, next, Until::Time(time)).await?;
        generator += own.used()?;
        next += driven.requests + GAP;
        created += driven.requests;
        let after = baseline().await?;
        let base = f64::midpoint(before, after);
        plan.say(&format!("  round {round}: {:.0} users/s, {base:.0} {unit}", driven.rate()));
        ratios.push(driven.rate() / base);
        rates.push(driven.rate());
        bases.push(base);
        before = after;
    }
    let details = format!(
        "{:.0} users/s at 16 connections, {:.0} us of the server's CPU each and {:.0} us of the load generator's; {:.0} {unit}",
        median(&rates),
        cpu.micros_each(created)?,
        generator * 1e6 / created as f64,
        median(&bases),
    );
    Ok((median(&ratios), details))
}
