//! The background of the views: folds what nobody waited for, one task for each family.

use crate::state::App;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::sql::Family;
use rollcall_projections::fold::{FoldError, Folder};
use rollcall_projections::status::Lag;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Tries stopped organizations again: a new version may understand what the old one could not.
pub async fn resume(folder: &Folder) {
    let family = folder.family().as_str();
    let Ok(status) = folder.status().await else { return };
    for view in status.iter().filter(|v| v.stopped.is_some()) {
        match folder.resume(view.organization).await {
            Ok(_) => tracing::info!(family, organization = %view.organization, "views resumed"),
            Err(error) => tracing::error!(family, organization = %view.organization, %error, "views are still stopped"),
        }
    }
}

/// Sweeps a family until the server stops. What is in the middle then is rolled back, and folded
/// at the next start.
pub async fn run(app: Arc<App>, folder: Arc<Folder>, mut stopping: watch::Receiver<bool>) {
    tokio::select! {
        () = forever(&app, &folder) => {}
        _ = stopping.wait_for(|stop| *stop) => {}
    }
}

async fn forever(app: &App, folder: &Folder) {
    let family = folder.family();
    if family == Family::Audit {
        // The live family did both before the server listened.
        renew(folder).await;
        resume(folder).await;
    }
    let mut behind = BTreeSet::new();
    loop {
        match folder.sweep().await {
            Ok(lags) => {
                lags.iter().for_each(|lag| measure(app, family, lag));
                let failed: BTreeSet<_> = lags.iter().filter(|lag| lag.outcome.is_err()).map(|lag| lag.organization).collect();
                // Whoever put them right does not lag any more, and is not among those that do.
                behind.difference(&failed).for_each(|organization| show(family, *organization, 0, false));
                behind = failed;
            }
            Err(error) => tracing::warn!(family = family.as_str(), %error, "sweep could not look at the views"),
        }
        tokio::time::sleep(Duration::from_millis(app.config.sweep_ms)).await;
    }
}

/// Makes views of another version anew; until then whoever asks them is told to come back.
async fn renew(folder: &Folder) {
    while folder.is_outdated() {
        tracing::info!(family = folder.family().as_str(), "the views are of another version: rebuilding them from the log");
        if let Err(error) = folder.rebuild().await {
            tracing::error!(family = folder.family().as_str(), %error, "the views could not be rebuilt; trying again");
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
    }
}

fn measure(app: &App, family: Family, lag: &Lag) {
    let left = if lag.outcome.is_ok() { 0 } else { lag.records };
    let stopped = matches!(lag.outcome, Err(FoldError::Stopped { .. }));
    if stopped && family == Family::Live {
        app.engine.organizations_changed();
    }
    show(family, lag.organization, left, stopped);
}

fn show(family: Family, organization: OrganizationId, left: u64, stopped: bool) {
    let (family, organization) = (family.as_str(), organization.to_string());
    metrics::gauge!("rollcall_view_lag_records", "family" => family, "organization" => organization.clone()).set(left as f64);
    metrics::gauge!("rollcall_view_stopped", "family" => family, "organization" => organization).set(f64::from(u8::from(stopped)));
}
