//! Entra in a box as the load: the client alone, against Rollcall, and against any other server.

use crate::plan::Plan;
use anyhow::{Context as _, Result};
use rollcall_tests::bench::elsewhere::{Load, client_alone, measure};
use rollcall_tests::bench::machine::Machine;
use rollcall_tests::bench::report::{Figure, Goal};
use rollcall_tests::bench::responder::Responder;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;

/// Another server, measured with the simulated Entra.
pub async fn elsewhere(plan: &Plan, url: &str, machine: Machine) -> Result<()> {
    let token = plan.token.as_deref().context("--url needs --token")?;
    let measures = measure(url, token, plan.load, |measure| plan.say(&measure.line())).await?;
    if plan.json {
        println!(
            "{}",
            serde_json::to_string_pretty(
                &serde_json::json!({"machine": machine, "url": url, "measures": measures})
            )?
        );
    } else {
        measures.iter().for_each(|measure| println!("{}", measure.line()));
    }
    Ok(())
}

/// What the simulated Entra can do when the server costs nothing, both on all cores of the machine.
pub fn client(plan: &Plan) -> Result<Figure> {
    let users = plan.pick(20_000, 2_000);
    let measured = std::thread::spawn(move || -> Result<(u64, f64)> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let responder = Responder::start().await?;
            client_alone(&responder.url, users, 16).await
        })
    });
    let (requests, rate) =
        measured.join().map_err(|_| anyhow::anyhow!("the measurement panicked"))??;
    let details = format!(
        "{requests} requests of an initial cycle of {users} users at 16 connections, the responder on the same cores"
    );
    Ok(Figure::new(
        "Entra client against a trivial responder",
        rate,
        "requests/s",
        Goal::AtLeast(3_000.0),
        details,
    ))
}

/// The simulated Entra against Rollcall: single operations and whole cycles.
pub async fn cycles(plan: &Plan) -> Result<Figure> {
    let w = World::around(Server::start_in(Store::Sqlite, &plan.folder).await?).await?;
    let url = format!("{}{}", w.server.address().url(), rollcall_tests::scim::BASE);
    let load = Load { users: plan.pick(5_000, 500), connections: 8, seed: 1 };
    let measures = measure(&url, w.scim.token().context("a token")?, load, |measure| {
        plan.say(&measure.line())
    })
    .await?;
    let of = |what: &str| {
        measures.iter().find(|m| m.what == what).with_context(|| format!("no figure for {what}"))
    };
    let (initial, more) = (of("initial cycle")?, of("incremental cycles")?);
    let details = format!(
        "initial cycle of {} users at 8 connections, {} requests; {:.0}/s in incremental cycles; a tenant may send 25",
        load.users, initial.requests, more.per_second
    );
    Ok(Figure::new(
        "requests of an initial cycle",
        initial.per_second,
        "requests/s",
        Goal::AtLeast(25.0),
        details,
    ))
}
