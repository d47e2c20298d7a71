//! `kill -9` of the server at random moments.

use super::{ALONE, Load};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::ledger::Audit;
use rollcall_tests::rng::Rng;
use rollcall_tests::soak::times;
use rollcall_tests::world::{World, on_postgres, on_sqlite};

/// In CI; ten times as many in a soak.
const KILLS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_embedded_store() {
    let _alone = ALONE.lock().await;
    on_sqlite(async |w| survive(w, Rng::from_env("server killed on sqlite", 20_261_124)).await)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too() {
    let _alone = ALONE.lock().await;
    on_postgres(async |w, _cluster| {
        survive(w, Rng::from_env("server killed on postgres", 20_261_125)).await
    })
    .await;
}

async fn survive(w: &mut World, mut rng: Rng) -> Result<()> {
    let load = Load::begin(w, &mut rng).await?;
    let (mut audit, mut answered, kills) = (Audit::default(), 0, times(KILLS));
    for round in 1..=kills {
        // Clients find the server again by themselves; the moment counts from when they have.
        load.answers(&mut w.server).await?;
        tokio::time::sleep(rng.millis(1, 250)).await;
        w.server.kill9()?;
        load.ledger.pause(true);
        let promises = load.ledger.take();
        answered += promises.len();
        w.server.restart().await?;
        let kept = audit.check(&promises, &w.scim.fresh(), &w.admin, &w.acme.id, &load.group).await;
        kept.with_context(|| format!("after kill {round}"))?;
        load.ledger.no_refusal()?;
        // While nobody writes: what comes meanwhile would all be asked for after the next kill.
        if round % 10 == 0 {
            w.server.cli(&["views", "verify"]).await?;
        }
        load.ledger.pause(false);
    }
    let (ledger, group) = load.end().await?;
    audit.check(&ledger.take(), &w.scim.fresh(), &w.admin, &w.acme.id, &group).await?;
    ledger.no_refusal()?;
    println!("{kills} kills, {answered} answered writes, all kept");
    ensure!(answered > kills * 5, "only {answered} writes were answered: that shows little");
    w.server.cli(&["views", "verify"]).await?;
    Ok(())
}
