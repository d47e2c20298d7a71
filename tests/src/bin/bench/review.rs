//! An access review of a whole organization.

use crate::plan::Plan;
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::bench::directory::{create_groups, fill};
use rollcall_tests::bench::machine::peak_memory_mib;
use rollcall_tests::bench::report::{Figure, Goal};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;
use std::time::Instant;

/// Who is in which group, since when and by what, for all groups at once: how long it takes, and
/// what it takes of the server's memory.
pub async fn measure(plan: &Plan) -> Result<[Figure; 2]> {
    let mut w = World::around(Server::start_in(Store::Sqlite, &plan.folder).await?).await?;
    let (users, _) = fill(&w, plan.pick(100_000, 5_000)).await?;
    let (groups, members) = (plan.pick(5_000, 250), 40);
    create_groups(&w, groups, members, &users).await?;
    // As an auditor finds it.
    w.server.terminate().await?;
    w.server.restart().await?;
    let folder = tempfile::tempdir_in(&plan.folder)?;
    let file = folder.path().join("review.csv");
    let name = file.to_str().context("a path in UTF-8")?;
    let pid = w.server.pid().context("the server does not run")?;
    let (before, begun) = (peak_memory_mib(pid)?, Instant::now());
    let command = ["review", "--org", "acme", "--all-groups", "--output", name];
    let output = w.server.command(&command).await?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written = std::fs::read_to_string(&file)?;
    let rows = written.lines().filter(|line| line.contains("@contoso.example")).count() as u64;
    ensure!(rows == groups * members, "{rows} rows of {}", groups * members);
    let details = format!(
        "{} users, {groups} groups, {rows} rows, {} MiB",
        users.len(),
        written.len() / 1_048_576
    );
    let memory = format!("VmHWM of the server; {before:.0} MiB before");
    Ok([
        Figure::new("review of all groups", seconds, "s", Goal::AtMost(10.0), details),
        Figure::new("review: memory", peak_memory_mib(pid)?, "MiB", Goal::AtMost(200.0), memory),
    ])
}
