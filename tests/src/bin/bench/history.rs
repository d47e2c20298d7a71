//! Time travel and export.

use crate::plan::Plan;
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::bench::directory::fill;
use rollcall_tests::bench::history::{Past, export};
use rollcall_tests::bench::machine::peak_memory_mib;
use rollcall_tests::bench::report::{Figure, Goal};
use rollcall_tests::postgres_cluster::PostgresCluster;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;
use std::time::Instant;

/// The auditors' questions to a directory with a long past, on the embedded store.
pub async fn on_sqlite(plan: &Plan) -> Result<[Figure; 2]> {
    measure(
        plan,
        Store::Sqlite,
        ["SQLite: as of, for one user or group", "SQLite: memory of an export"],
    )
    .await
}

/// The same on PostgreSQL.
pub async fn on_postgres(plan: &Plan) -> Result<[Figure; 2]> {
    let cluster = PostgresCluster::start()?;
    let store = Store::Postgres(cluster.url());
    measure(
        plan,
        store,
        ["PostgreSQL: as of, for one user or group", "PostgreSQL: memory of an export"],
    )
    .await
}

async fn measure(
    plan: &Plan,
    store: Store,
    [as_of, memory]: [&'static str; 2],
) -> Result<[Figure; 2]> {
    let mut w = World::around(Server::start_in(store, &plan.folder).await?).await?;
    let (users, _) = fill(&w, plan.pick(100_000, 5_000)).await?;
    let count = users.len();
    let (past, driven) = Past::make(&w, users, plan.pick(900_000, 20_000)).await?;
    plan.say(&format!("  {} changes at {:.0}/s", driven.requests, driven.rate()));
    // As an auditor finds it: not warmed up by the changes.
    w.server.terminate().await?;
    w.server.restart().await?;
    let mut times = past.as_of(&w, 2_000).await?;
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let details = format!(
        "99 % of {} questions; median {:.1} ms, longest {:.1} ms; {count} users, {} records",
        times.len(),
        at(0.5),
        at(1.0),
        past.records()
    );
    let asked = Figure::new(as_of, at(0.99), "ms", Goal::AtMost(50.0), details);
    w.server.terminate().await?;
    w.server.restart().await?;
    let pid = w.server.pid().context("the server does not run")?;
    let (before, begun) = (peak_memory_mib(pid)?, Instant::now());
    let (events, bytes) = export(&w, &plan.folder).await?;
    ensure!(events == past.records(), "{events} events exported of {}", past.records());
    let seconds = begun.elapsed().as_secs_f64();
    let details = format!(
        "VmHWM; {before:.0} MiB before; {events} events, {} MiB in {seconds:.0} s",
        bytes / 1_048_576
    );
    Ok([asked, Figure::new(memory, peak_memory_mib(pid)?, "MiB", Goal::AtMost(100.0), details)])
}
