//! Retention: the bodies of exchanges go after a while, if the configuration says so. Records and
//! everything else of an exchange stay for ever.

use crate::state::App;
use chrono::TimeDelta;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::ExchangeNumber;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Exchanges looked at in one transaction.
const STEP: u64 = 500;
/// How long to wait between two passes.
const PAUSE: Duration = Duration::from_secs(60);

/// Drops bodies until the server stops.
pub async fn run(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let Some(keep) = app.config.keep_bodies_for else { return };
    let mut passed = HashMap::new();
    loop {
        tokio::select! {
            () = pass(&app, keep, &mut passed) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

/// One pass over all organizations; `passed` is how far earlier ones came.
pub async fn pass(app: &App, keep: u64, passed: &mut HashMap<OrganizationId, ExchangeNumber>) {
    let heads = match app.engine.log.heads().await {
        Ok(heads) => heads,
        Err(error) => return tracing::warn!(%error, "bodies cannot be dropped now"),
    };
    for (organization, _) in heads {
        let from = passed.entry(organization).or_default();
        if let Err(error) = drop_bodies(app, organization, keep, from).await {
            tracing::warn!(%organization, %error, "bodies cannot be dropped now");
        }
    }
}

async fn drop_bodies(app: &App, organization: OrganizationId, keep: u64, from: &mut ExchangeNumber) -> anyhow::Result<()> {
    app.engine.folder.fold(organization).await?;
    let before = app.engine.clock.now() - TimeDelta::seconds(i64::try_from(keep)?);
    let last = app.exchanges.last_before(organization, before).await?;
    while *from < last {
        let through = last.min(*from + STEP);
        let dropped = app.engine.log.drop_bodies(organization, *from, through).await?;
        metrics::counter!("rollcall_dropped_bodies_total").increment(dropped);
        *from = through;
    }
    Ok(())
}
