//! `make bench`: real servers, measured against what the stores can do by themselves, in one run.
//!
//! `bench [--quick] [--json] [--only NAMES]` with NAMES among
//! `client,sqlite,postgres,directory,review,history-sqlite,history-postgres,logins,signals,tenants,neighbours,cycles`;
//! `bench --url URL --token TOKEN [--users N] [--connections N] [--seed N] [--json]` measures any
//! SCIM server with the simulated Entra.

mod creates;
mod directory;
mod history;
mod logins;
mod neighbours;
mod plan;
mod review;
mod signals;
mod simulated;
mod tenants;

use anyhow::{Context as _, Result, ensure};
use plan::Plan;
use rollcall_tests::bench::machine::Machine;
use rollcall_tests::bench::report::Report;

// One thread: the load generator must leave the machine to the server.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let plan = Plan::from_arguments()?;
    let machine = Machine::here();
    plan.say(&format!(
        "{}, {} cores, {} MiB, Linux {}",
        machine.cpu, machine.cores, machine.memory_mib, machine.kernel
    ));
    if let Some(url) = &plan.url {
        return simulated::elsewhere(&plan, url, machine).await;
    }
    let mut figures = Vec::new();
    let mut told = 0;
    for part in [
        "client",
        "sqlite",
        "postgres",
        "directory",
        "review",
        "history-sqlite",
        "history-postgres",
        "logins",
        "signals",
        "tenants",
        "neighbours",
        "cycles",
    ] {
        if !plan.wants(part) {
            continue;
        }
        match part {
            "client" => figures.push(simulated::client(&plan).context("the client alone")?),
            "history-sqlite" => {
                figures.extend(history::on_sqlite(&plan).await.context("history on SQLite")?)
            }
            "history-postgres" => {
                figures.extend(history::on_postgres(&plan).await.context("history on PostgreSQL")?)
            }
            "logins" => figures.push(logins::measure(&plan).await.context("logins")?),
            "signals" => figures.push(signals::measure(&plan).await.context("signals")?),
            "tenants" => figures.push(tenants::measure(&plan).await.context("tenants")?),
            "review" => figures.extend(review::measure(&plan).await.context("a review")?),
            "neighbours" => figures.push(neighbours::measure(&plan).await.context("neighbours")?),
            "cycles" => figures.push(simulated::cycles(&plan).await.context("cycles")?),
            "sqlite" => figures.push(creates::on_sqlite(&plan).await.context("creates on SQLite")?),
            "postgres" => {
                figures.push(creates::on_postgres(&plan).await.context("creates on PostgreSQL")?)
            }
            _ => directory::measure(&plan, &mut figures).await.context("a large directory")?,
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
        println!(
            "\n{}, {} cores, {} MiB, Linux {}{}",
            m.cpu,
            m.cores,
            m.memory_mib,
            m.kernel,
            if report.quick { " (quick)" } else { "" }
        );
        for figure in &report.figures {
            println!("{}", figure.line());
        }
    }
    Ok(())
}
