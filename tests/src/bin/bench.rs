//! `make bench`: real servers, measured against what the stores can do by themselves, in one run.
//!
//! `bench [--quick] [--json] [--only NAMES]` with NAMES among `client,sqlite,postgres,directory,cycles`;
//! `bench --url URL --token TOKEN [--users N] [--connections N] [--seed N] [--json]` measures any
//! SCIM server with the simulated Entra.

use anyhow::{Context as _, Result, bail, ensure};
use rollcall_tests::bench::baseline::{pgbench_inserts, sqlite_inserts};
use rollcall_tests::bench::directory::{add_in_turn, add_many, add_one_by_one, create_users, fill, match_queries};
use rollcall_tests::bench::elsewhere::{Load, client_alone, measure};
use rollcall_tests::bench::machine::{Machine, cpu_seconds, peak_memory_mib};
use rollcall_tests::bench::report::{Figure, Goal, Report, median};
use rollcall_tests::bench::responder::Responder;
use rollcall_tests::bench::wire::Until;
use rollcall_tests::postgres_cluster::PostgresCluster;
use rollcall_tests::rng::Rng;
use rollcall_tests::server::{Server, Store, binary};
use rollcall_tests::world::World;
use std::path::{Path, PathBuf};
use std::time::Duration;

struct Plan {
    quick: bool,
    json: bool,
    only: Option<String>,
    folder: PathBuf,
    /// Tenant URL and token of another server.
    url: Option<String>,
    token: Option<String>,
    load: Load,
}

impl Plan {
    fn from_arguments() -> Result<Self> {
        // Data lies next to the build: the same disk for servers and baselines, and no RAM disk.
        let folder = binary()?.parent().context("a folder")?.join("bench-data");
        std::fs::create_dir_all(&folder)?;
        let load = Load { users: 1_000, connections: 8, seed: 1 };
        let mut plan = Self { quick: false, json: false, only: None, folder, url: None, token: None, load };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => plan.quick = true,
                "--json" => plan.json = true,
                "--only" => plan.only = Some(arguments.next().context("--only needs names")?),
                "--url" => plan.url = Some(arguments.next().context("--url needs a tenant URL")?),
                "--token" => plan.token = Some(arguments.next().context("--token needs a secret token")?),
                "--users" => plan.load.users = arguments.next().context("--users needs a number")?.parse()?,
                "--connections" => plan.load.connections = arguments.next().context("--connections needs a number")?.parse()?,
                "--seed" => plan.load.seed = arguments.next().context("--seed needs a number")?.parse()?,
                other => bail!(
                    "unknown argument {other}; usage: bench [--quick] [--json] [--only client,sqlite,postgres,directory,cycles], or bench --url URL --token TOKEN [--users N] [--connections N] [--seed N] [--json]"
                ),
            }
        }
        Ok(plan)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.split(',').any(|o| o == name))
    }

    fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    fn say(&self, text: &str) {
        // Figures go to standard output, progress does not.
        eprintln!("{text}");
    }
}

/// Numbers left out between two loads: connections count a little beyond the end of one.
const GAP: u64 = 100;

// One thread: the load generator must leave the machine to the server.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let plan = Plan::from_arguments()?;
    let machine = Machine::here();
    plan.say(&format!("{}, {} cores, {} MiB, Linux {}", machine.cpu, machine.cores, machine.memory_mib, machine.kernel));
    if let Some(url) = &plan.url {
        return elsewhere(&plan, url, machine).await;
    }
    let mut figures = Vec::new();
    let mut told = 0;
    for part in ["client", "sqlite", "postgres", "directory", "cycles"] {
        if !plan.wants(part) {
            continue;
        }
        match part {
            "client" => figures.push(client(&plan).context("the client alone")?),
            "cycles" => figures.push(cycles(&plan).await.context("cycles")?),
            "sqlite" => figures.push(creates_on_sqlite(&plan).await.context("creates on SQLite")?),
            "postgres" => figures.push(creates_on_postgres(&plan).await.context("creates on PostgreSQL")?),
            _ => large_directory(&plan, &mut figures).await.context("a large directory")?,
        }
        for figure in &figures[told..] {
            plan.say(&figure.line());
        }
        told = figures.len();
    }
    ensure!(!figures.is_empty(), "nothing was measured");
    let report = Report { machine, quick: plan.quick, figures };
    if plan.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        let m = &report.machine;
        println!("\n{}, {} cores, {} MiB, Linux {}{}", m.cpu, m.cores, m.memory_mib, m.kernel, if report.quick { " (quick)" } else { "" });
        for figure in &report.figures {
            println!("{}", figure.line());
        }
    }
    Ok(())
}

/// Another server, measured with the simulated Entra.
async fn elsewhere(plan: &Plan, url: &str, machine: Machine) -> Result<()> {
    let token = plan.token.as_deref().context("--url needs --token")?;
    let measures = measure(url, token, plan.load, |measure| plan.say(&measure.line())).await?;
    if plan.json {
        println!("{}", serde_json::to_string_pretty(&serde_json::json!({"machine": machine, "url": url, "measures": measures}))?);
    } else {
        measures.iter().for_each(|measure| println!("{}", measure.line()));
    }
    Ok(())
}

/// What the simulated Entra can do when the server costs nothing, both on all cores of the machine.
fn client(plan: &Plan) -> Result<Figure> {
    let users = plan.pick(20_000, 2_000);
    let measured = std::thread::spawn(move || -> Result<(u64, f64)> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let responder = Responder::start().await?;
            client_alone(&responder.url, users, 16).await
        })
    });
    let (requests, rate) = measured.join().map_err(|_| anyhow::anyhow!("the measurement panicked"))??;
    let details = format!("{requests} requests of an initial cycle of {users} users at 16 connections, the responder on the same cores");
    Ok(Figure::new("Entra client against a trivial responder", rate, "requests/s", Goal::AtLeast(3_000.0), details))
}

/// The simulated Entra against Rollcall: single operations and whole cycles.
async fn cycles(plan: &Plan) -> Result<Figure> {
    let w = World::around(Server::start_in(Store::Sqlite, &plan.folder).await?).await?;
    let url = format!("{}{}", w.server.address().url(), rollcall_tests::scim::BASE);
    let load = Load { users: plan.pick(5_000, 500), connections: 8, seed: 1 };
    let measures = measure(&url, w.scim.token().context("a token")?, load, |measure| plan.say(&measure.line())).await?;
    let of = |what: &str| measures.iter().find(|m| m.what == what).with_context(|| format!("no figure for {what}"));
    let (initial, more) = (of("initial cycle")?, of("incremental cycles")?);
    let details = format!(
        "initial cycle of {} users at 8 connections, {} requests; {:.0}/s in incremental cycles; a tenant may send 25",
        load.users, initial.requests, more.per_second
    );
    Ok(Figure::new("requests of an initial cycle", initial.per_second, "requests/s", Goal::AtLeast(25.0), details))
}

async fn creates_on_sqlite(plan: &Plan) -> Result<Figure> {
    let w = World::around(Server::start_in(Store::Sqlite, &plan.folder).await?).await?;
    let time = Duration::from_secs(plan.pick(4, 1));
    let baseline = async || sqlite_inserts(&plan.folder, time);
    let (ratio, details) = creates(plan, &w, time, "one-row commits/s", baseline).await?;
    Ok(Figure::new("SQLite: user creates / one-row commits", ratio, "", Goal::AtLeast(0.8), details))
}

async fn creates_on_postgres(plan: &Plan) -> Result<Figure> {
    let cluster = PostgresCluster::start()?;
    let w = World::around(Server::start_in(Store::Postgres(cluster.url()), &plan.folder).await?).await?;
    let time = Duration::from_secs(plan.pick(5, 2));
    let baseline = async || pgbench_inserts(&cluster.url(), &plan.folder, time).await;
    let (ratio, details) = creates(plan, &w, time, "pgbench transactions/s at 16 clients", baseline).await?;
    Ok(Figure::new("PostgreSQL: user creates / pgbench", ratio, "", Goal::AtLeast(0.3), details))
}

/// Rounds of baseline, load, baseline; the ratio of each round is to the mean of its two baselines.
async fn creates(plan: &Plan, w: &World, time: Duration, unit: &str, baseline: impl AsyncFn() -> Result<f64>) -> Result<(f64, String)> {
    let mut next = create_users(w, 0, Until::Time(time)).await?.requests + GAP;
    let (mut ratios, mut rates, mut bases) = (Vec::new(), Vec::new(), Vec::new());
    let (cpu, mut created, mut generator) = (Cpu::begin(w)?, 0, 0.0);
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

/// One directory of 100,000 users with a large group, beside a small one.
async fn large_directory(plan: &Plan, figures: &mut Vec<Figure>) -> Result<()> {
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

/// The server's CPU time since a moment: what a busy machine cannot distort.
struct Cpu {
    pid: u32,
    before: f64,
}

impl Cpu {
    fn begin(w: &World) -> Result<Self> {
        Self::of(w.server.pid().context("the server does not run")?)
    }

    fn of(pid: u32) -> Result<Self> {
        Ok(Self { pid, before: cpu_seconds(pid)? })
    }

    fn used(&self) -> Result<f64> {
        Ok(cpu_seconds(self.pid)? - self.before)
    }

    fn micros_each(&self, requests: u64) -> Result<f64> {
        Ok(self.used()? * 1e6 / requests as f64)
    }
}

/// Rounds on both directories in turn, so that both see the same disk and the same neighbours.
async fn matches(plan: &Plan, small: &World, few: u64, large: &World, many: u64) -> Result<Figure> {
    let (time, rounds) = (Duration::from_secs(plan.pick(3, 1)), plan.pick(5, 2));
    let mut rng = Rng::new(17);
    match_queries(small, few, &mut rng, time).await?;
    match_queries(large, many, &mut rng, time).await?;
    let (mut ratios, mut rates_small, mut rates_large) = (Vec::new(), Vec::new(), Vec::new());
    let (cpu_small, cpu_large) = (Cpu::begin(small)?, Cpu::begin(large)?);
    let (mut asked_small, mut asked_large) = (0, 0);
    for round in 0..rounds {
        let a = match_queries(small, few, &mut rng, time).await?;
        let b = match_queries(large, many, &mut rng, time).await?;
        plan.say(&format!("  match round {round}: {:.0}/s among {few} users, {:.0}/s among {many}", a.rate(), b.rate()));
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
    Ok(Figure::new("match queries: slower in the large directory", median(&ratios), "times", Goal::AtMost(1.3), details))
}

/// The last members of a large group against the first ones of another, added in turn at the same
/// time; the first ones of the large group were added minutes earlier, on another machine so to say.
async fn members(plan: &Plan, w: &World, group: &str, ids: &[String]) -> Result<Figure> {
    const EDGE: usize = 500;
    let first = add_one_by_one(w, group, &ids[..EDGE]).await?;
    let between = add_many(w, group, &ids[EDGE..ids.len() - EDGE], 1).await?;
    plan.say(&format!("  {} members at {:.0}/s, one per request", between.requests, between.rate()));
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
        exchanges = said["exchanges"].as_u64().with_context(|| format!("no exchanges in {said}"))?;
        rates.push(records as f64 / seconds);
    }
    let peak = peak_memory_mib(w.server.pid().context("the server does not run")?)?;
    let details = format!("{records} records, and {exchanges} exchanges besides; VmHWM {peak:.0} MiB afterwards");
    Ok(Figure::new("records folded in a rebuild", median(&rates), "records/s", Goal::AtLeast(30_000.0), details))
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
        let removed = w.scim.fresh().operations(&format!("/Groups/{group}"), rollcall_tests::scim::remove_member(newcomer)).await?;
        removed.expect(204)?;
    }
    let details = format!("one member add after a start, group of {}; {times:.0?} ms", ids.len() - 1);
    Ok(Figure::new("cold load of a large group", median(&times) / 1000.0, "s", Goal::AtMost(1.0), details))
}

/// The data of all servers is gone with them; what is left is an empty folder.
fn drop_quietly(folder: &Path) {
    let _ = std::fs::remove_dir(folder);
}
