//! A tenant at its pace while another one reads a group of many members, over and over.

use crate::plan::Plan;
use anyhow::{Context as _, Result, ensure};
use futures::future::{Either, select};
use rollcall_tests::bench::directory::{add_many, fill};
use rollcall_tests::bench::report::{Figure, Goal, median};
use rollcall_tests::bench::tenants::{PER_SECOND, drive, found, quantile};
use rollcall_tests::bench::wire::{Wire, prepare};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;
use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

/// Clients that read the large group.
const READERS: usize = 4;

/// How late 1 % of a tenant's answers are while others read a group of 100,000 members.
pub async fn measure(plan: &Plan) -> Result<Figure> {
    let server = Server::start_in(Store::Sqlite, &plan.folder).await?;
    let w = World::around(server).await?;
    let (users, _) = fill(&w, plan.pick(100_000, 20_000)).await?;
    let large = w.scim.create_group("Everybody").await?;
    add_many(&w, &large, &users, 1_000).await?;
    let neighbour = found(&w.server, 1).await?;
    let time = Duration::from_secs(plan.pick(15, 5));
    let (read, authority) = (Cell::new(0_u64), w.server.address().authority());
    let token = w.scim.token().context("no token")?;
    let (mut alone, mut beside, mut first) = (Vec::new(), Vec::new(), 0);
    for round in 0..plan.pick(3, 1) {
        let a = drive(&w.server, &neighbour, |t| &t.fixed, first, time).await?;
        let readers = (0..READERS).map(|_| async {
            let mut wire = Wire::connect(&authority).await?;
            loop {
                let request = prepare("GET", &format!("/Groups/{large}"), token, "");
                let (status, body) = wire.call(&request).await?;
                ensure!(status == 200 && body.len() > users.len() * 100, "the group: {status}");
                read.set(read.get() + 1);
            }
        });
        let readers = futures::future::try_join_all(readers.map(|r| async {
            let endless: Result<()> = r.await;
            endless
        }));
        let asks = drive(&w.server, &neighbour, |t| &t.fixed, first + 1_000, time);
        let b = match select(pin!(asks), pin!(readers)).await {
            Either::Left((asked, _)) => asked?,
            Either::Right((failed, _)) => return Err(failed.err().context("a reader ended")?),
        };
        first += 2_000;
        let (p99, with) = (quantile(&a, 0.99), quantile(&b, 0.99));
        plan.say(&format!("  round {round}: p99 {p99:.1} ms alone, {with:.1} ms beside readers"));
        alone.push(p99);
        beside.push(with);
    }
    ensure!(read.get() > 0, "nobody read the group");
    let details = format!(
        "a tenant at {PER_SECOND} requests/s beside {READERS} readers of a group of {}, {} times read, none failed; alone p99 {:.1} ms",
        users.len(),
        read.get(),
        median(&alone),
    );
    let name = "neighbours: p99 beside readers of a large group";
    Ok(Figure::new(name, median(&beside), "ms", Goal::AtMost(100.0), details))
}
