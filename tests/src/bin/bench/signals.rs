//! From switching somebody off to what tells the application.

use crate::plan::Plan;
use anyhow::Result;
use rollcall_tests::bench::report::{Figure, Goal, median};
use rollcall_tests::bench::signals::deactivations;
use rollcall_tests::bench::tenants::quantile;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;

const FLAGS: [&str; 4] = ["--rate-limit", "0", "--allow-private-webhooks", "true"];

/// Deactivations, one after another, while users are created as fast as the server can.
pub async fn measure(plan: &Plan) -> Result<Figure> {
    let w = World::around(Server::start_with(Store::Sqlite, &plan.folder, &FLAGS).await?).await?;
    let count = plan.pick(500, 60);
    let took = deactivations(&w, count).await?;
    let details = format!(
        "{count} deactivations under a load of creates: median {:.0} ms, slowest {:.0} ms",
        median(&took),
        quantile(&took, 1.0)
    );
    Ok(Figure::new(
        "deactivation to received session-revoked, p99",
        quantile(&took, 0.99) / 1_000.0,
        "s",
        Goal::AtMost(2.0),
        details,
    ))
}
