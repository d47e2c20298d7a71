//! Sign-ins, in turn with verifying the same signatures.

use crate::plan::Plan;
use anyhow::Result;
use rollcall_tests::bench::logins::{CONNECTIONS, SignOn};
use rollcall_tests::bench::machine::{Cpu, Machine};
use rollcall_tests::bench::report::{Figure, Goal, median};
use rollcall_tests::clock::now;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;
use std::time::Duration;

/// Sign-ins from My Apps, each with a response of its own, in turn with verifying the same
/// responses.
pub async fn measure(plan: &Plan) -> Result<Figure> {
    let w = World::around(Server::start_in(Store::Sqlite, &plan.folder).await?).await?;
    let threads = Machine::here().cores;
    let (count, time) = (plan.pick(4_000, 400), Duration::from_secs(plan.pick(2, 1)));
    let mut sign_on = SignOn::begin(&w, plan.pick(1_000, 100), now()).await?;
    let (mut ratios, mut rates, mut bases, mut bare) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    sign_on.sign(count, now())?.sign_in(&w).await?;
    let (cpu, rounds) = (Cpu::of_server(&w.server)?, plan.pick(5, 2));
    for round in 0..rounds {
        let responses = sign_on.sign(count, now())?;
        let before = sign_on.verifications(&responses, threads, time)?;
        let driven = responses.sign_in(&w).await?;
        let base = f64::midpoint(before, sign_on.verifications(&responses, threads, time)?);
        plan.say(&format!(
            "  round {round}: {:.0} logins/s, {base:.0} verifications/s",
            driven.rate()
        ));
        ratios.push(driven.rate() / base);
        rates.push(driven.rate());
        bases.push(base);
        bare.push(responses.arithmetic(threads, time)?);
    }
    let details = format!(
        "{:.0} logins/s at {} connections, {:.0} us of the server's CPU each; {:.0} verifications/s by samael on {threads} threads, {:.0}/s of digest and RSA alone",
        median(&rates),
        CONNECTIONS,
        cpu.micros_each(count * rounds)?,
        median(&bases),
        median(&bare),
    );
    Ok(Figure::new(
        "logins / signature verifications",
        median(&ratios),
        "",
        Goal::AtLeast(0.5),
        details,
    ))
}
