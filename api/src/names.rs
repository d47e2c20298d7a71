//! Names claimed as they are folded now: before the server listens, and again for as long as an
//! organization has two users with one name.

use crate::engine::{Engine, RefoldError, Refolded};
use crate::state::App;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::LogError;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often organizations with contested names are looked at again.
const LOOK: Duration = Duration::from_secs(60);

/// Organizations of which all names are claimed as they are folded now.
#[derive(Debug, Default)]
pub struct Settled(HashSet<OrganizationId>);

/// Claims the names of all organizations that are not settled.
///
/// # Errors
/// If the log cannot be read or written: what was done until then stays.
pub async fn settle(engine: &Engine, settled: &mut Settled) -> Result<(), RefoldError> {
    let heads = engine.log.heads().await.map_err(RefoldError::from)?;
    for (organization, _) in heads.into_iter().filter(|(id, _)| *id != OrganizationId::NONE) {
        if settled.0.contains(&organization) {
            continue;
        }
        match engine.refold(organization).await {
            Ok(None) => drop(settled.0.insert(organization)),
            Ok(Some(done)) => tell(organization, done),
            // Its views have stopped there already, and say so; the others go on.
            Err(RefoldError::Log(LogError::Damaged(error))) => {
                tracing::error!(%organization, error, "names cannot be claimed as they are folded now");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn tell(organization: OrganizationId, done: Refolded) {
    let Refolded { moved, contested } = done;
    metrics::gauge!("rollcall_contested_names", "organization" => organization.to_string()).set(contested as f64);
    if moved > 0 {
        tracing::info!(%organization, moved, "names are claimed as they are folded now");
    }
    if contested > 0 {
        tracing::warn!(%organization, contested, "users have a name that another user holds: rollcall claims collisions");
    }
}

/// Runs until the server stops. Several servers may do the same.
pub async fn run(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let forever = async {
        let mut settled = Settled::default();
        loop {
            tokio::time::sleep(LOOK).await;
            if let Err(error) = settle(&app.engine, &mut settled).await {
                tracing::warn!(%error, "names could not be claimed as they are folded now");
            }
        }
    };
    tokio::select! {
        () = forever => {}
        _ = stopping.wait_for(|stop| *stop) => {}
    }
}
