//! A large directory: match queries, members, memory, rebuild, cold load.

use crate::plan::Plan;
use anyhow::{Context as _, Result};
use rollcall_tests::bench::directory::{
    add_in_turn, add_many, add_one_by_one, fill, match_queries,
};
use rollcall_tests::bench::machine::{Cpu, peak_memory_mib};
use rollcall_tests::bench::report::{Figure, Goal, median};
use rollcall_tests::rng::Rng;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;
use std::path::Path;
use std::time::Duration;

/// One directory of 100,000 users with a large group, beside a small one.
pub async fn measure(plan: &Plan, figures: &mut Vec<Figure>) -> Result<()> {
    let (few, many) = (1_000, plan.pick(100_000, 10_000));
    let small = World::around(Server::start_in(Store::Sqlite, &plan.folder).await?).await?;
    fill(&small, few).await?;
    let mut large = World::around(Server::start_in(Store::Sqlite, &plan.folder).await?).await?;
    let (ids, filled) = fill(&large, many).await?;
    plan.say(&format!("  {many} users at {:.0} users/s", filled.rate()));

    let group = large.scim.create_group("Everybody").await?;
    figures.push(members(plan, &large, &group, &ids[..ids.len() / 2]).await?);
    // Before the rebuild, which is an operator's doing and not a part of serving.
    let peak = peak_memory_mib(large.server.pid().context("the server does not run")?)?;
    let details = format!("VmHWM with {many} users and a group of {}", ids.len() / 2);
    figures.push(Figure::new("peak memory", peak, "MiB", Goal::AtMost(300.0), details));
    figures.push(rebuild(plan, &large).await?);
    figures.push(matches(plan, &small, few, &large, many).await?);
    drop(small);
    figures.push(cold_group(&mut large, &group, &ids).await?);
    drop_quietly(&plan.folder);
    Ok(())
}

/// Rounds on both directories in turn, so that both see the same disk and the same neighbours.
async fn matches(plan: &Plan, small: &World, few: u64, large: &World, many: u64) -> Result<Figure> {
    let (time, rounds) = (Duration::from_secs(plan.pick(3, 1)), plan.pick(5, 2));
    let mut rng = Rng::new(17);
    match_queries(small, few, &mut rng, time).await?;
    match_queries(large, many, &mut rng, time).await?;
    let (mut ratios, mut rates_small, mut rates_large) = (Vec::new(), Vec::new(), Vec::new());
    let (cpu_small, cpu_large) = (Cpu::of_server(&small.server)?, Cpu::of_server(&large.server)?);
    let (mut asked_small, mut asked_large) = (0, 0);
    for round in 0..rounds {
        let a = match_queries(small, few, &mut rng, time).await?;
        let b = match_queries(large, many, &mut rng, time).await?;
        plan.say(&format!(
            "  match round {round}: {:.0}/s among {few} users, {:.0}/s among {many}",
            a.rate(),
            b.rate()
        ));
        asked_small += a.requests;
        asked_large += b.requests;
        ratios.push(a.rate() / b.rate());
        rates_small.push(a.rate());
        rates_large.push(b.rate());
    }
    let details = format!(
        "{:.0}/s among {few} users, {:.0}/s among {many}; {:.0} and {:.0} us of the server's CPU each",
        median(&rates_small),
        median(&rates_large),
        cpu_small.micros_each(asked_small)?,
        cpu_large.micros_each(asked_large)?,
    );
    Ok(Figure::new(
        "match queries: slower in the large directory",
        median(&ratios),
        "times",
        Goal::AtMost(1.3),
        details,
    ))
}

/// The last members of a large group against the first ones of another, added in turn at the same
/// time; the first ones of the large group were added minutes earlier, on another machine so to
/// say.
async fn members(plan: &Plan, w: &World, group: &str, ids: &[String]) -> Result<Figure> {
    const EDGE: usize = 500;
    let first = add_one_by_one(w, group, &ids[..EDGE]).await?;
    let between = add_many(w, group, &ids[EDGE..ids.len() - EDGE], 1).await?;
    plan.say(&format!(
        "  {} members at {:.0}/s, one per request",
        between.requests,
        between.rate()
    ));
    let fresh = w.scim.create_group("Fresh").await?;
    let [last, beginning] = add_in_turn(w, [group, &fresh], &ids[ids.len() - EDGE..]).await?;
    let (a, b) = (median(&beginning), median(&last));
    let details = format!(
        "median {b:.2} ms for the last {EDGE} of {}, {a:.2} ms for the first {EDGE} of another group meanwhile, {:.2} ms for its own first; \
         {:.0}/s between",
        ids.len(),
        median(&first),
        between.rate()
    );
    Ok(Figure::new("member adds: last against first", b / a, "times", Goal::AtMost(1.15), details))
}

async fn rebuild(plan: &Plan, w: &World) -> Result<Figure> {
    let (mut rates, mut records, mut exchanges) = (Vec::new(), 0, 0);
    for _ in 0..plan.pick(3, 1) {
        let said = w.server.cli(&["views", "rebuild", "--family", "live"]).await?;
        let said = &said[0];
        let seconds = said["seconds"].as_f64().with_context(|| format!("no seconds in {said}"))?;
        records = said["records"].as_u64().with_context(|| format!("no records in {said}"))?;
        exchanges =
            said["exchanges"].as_u64().with_context(|| format!("no exchanges in {said}"))?;
        rates.push(records as f64 / seconds);
    }
    let peak = peak_memory_mib(w.server.pid().context("the server does not run")?)?;
    let details = format!(
        "{records} records, and {exchanges} exchanges besides; VmHWM {peak:.0} MiB afterwards"
    );
    Ok(Figure::new(
        "records folded in a rebuild",
        median(&rates),
        "records/s",
        Goal::AtLeast(30_000.0),
        details,
    ))
}

/// Fills the group to all users, starts the server again, and adds one member that is new.
async fn cold_group(w: &mut World, group: &str, ids: &[String]) -> Result<Figure> {
    let (newcomer, rest) = ids[ids.len() / 2..].split_last().context("no users")?;
    add_many(w, group, rest, 1000).await?;
    let mut times = Vec::new();
    for _ in 0..3 {
        w.server.terminate().await?;
        w.server.restart().await?;
        times.push(add_one_by_one(w, group, std::slice::from_ref(newcomer)).await?[0]);
        let removed = w
            .scim
            .fresh()
            .operations(&format!("/Groups/{group}"), rollcall_tests::scim::remove_member(newcomer))
            .await?;
        removed.expect(204)?;
    }
    let details =
        format!("one member add after a start, group of {}; {times:.0?} ms", ids.len() - 1);
    Ok(Figure::new(
        "cold load of a large group",
        median(&times) / 1000.0,
        "s",
        Goal::AtMost(1.0),
        details,
    ))
}

/// The data of all servers is gone with them; what is left is an empty folder.
fn drop_quietly(folder: &Path) {
    let _ = std::fs::remove_dir(folder);
}
