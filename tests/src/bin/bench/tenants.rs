//! Tenants at the pace that a gallery application must bear, with both kinds of tokens in turn.

use crate::plan::Plan;
use anyhow::Result;
use rollcall_tests::bench::machine::Cpu;
use rollcall_tests::bench::report::{Figure, Goal, median};
use rollcall_tests::bench::tenants::{PER_SECOND, drive, found, quantile};
use rollcall_tests::server::{Server, Store};
use std::time::Duration;

/// Access tokens of an hour against secret tokens, for 40 tenants at once, with the limits that a
/// server has unless it is told otherwise.
pub async fn measure(plan: &Plan) -> Result<Figure> {
    let server = Server::start_with(Store::Sqlite, &plan.folder, &[]).await?;
    let tenants = found(&server, plan.pick(40, 8)).await?;
    let time = Duration::from_secs(plan.pick(10, 2));
    let (mut ratios, mut fixed, mut hourly) = (Vec::new(), Vec::new(), Vec::new());
    let cpu = Cpu::of_server(&server)?;
    let mut requests = 0;
    let mut first = 0;
    for round in 0..plan.pick(5, 2) {
        let a = drive(&server, &tenants, |t| &t.fixed, first, time).await?;
        first += 1_000;
        let b = drive(&server, &tenants, |t| &t.hourly, first, time).await?;
        first += 1_000;
        requests += (a.len() + b.len()) as u64;
        let (p99, p99_hourly) = (quantile(&a, 0.99), quantile(&b, 0.99));
        plan.say(&format!(
            "  round {round}: p99 {p99:.2} ms with secret tokens, {p99_hourly:.2} ms with access tokens"
        ));
        ratios.push(p99_hourly / p99);
        fixed.extend(a);
        hourly.extend(b);
    }
    let details = format!(
        "{} tenants at {PER_SECOND} requests/s each, {requests} requests, none failed; secret tokens p50 {:.2}, p99 {:.2} ms, access tokens p50 {:.2}, p99 {:.2} ms; {:.0} us of the server's CPU each",
        tenants.len(),
        quantile(&fixed, 0.5),
        quantile(&fixed, 0.99),
        quantile(&hourly, 0.5),
        quantile(&hourly, 0.99),
        cpu.micros_each(requests)?,
    );
    Ok(Figure::new(
        "tenants: p99 with access tokens / secret tokens",
        median(&ratios),
        "times",
        Goal::AtMost(1.25),
        details,
    ))
}
