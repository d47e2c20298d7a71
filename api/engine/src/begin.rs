//! From stores to an engine whose views are up to the log: how every application begins.

use crate::clock::Clock;
use crate::ids::Ids;
use crate::{Engine, Names, identity};
use anyhow::Context;
use rollcall_domain::log::{Log, LogError};
use rollcall_domain::sql::{Family, SqlStore};
use rollcall_projections::fold::Folder;
use rollcall_projections::schema::Prepared;
use std::sync::Arc;

/// An engine on these stores. Views of another version are rebuilt first, and what a crash left
/// unfolded is folded. Where the log is not the one that is known nothing is touched, and the
/// engine is closed ([`Engine::closed`]).
pub async fn engine(
    log: &Arc<dyn Log>,
    live: &Arc<dyn SqlStore>,
    clock: Clock,
    ids: Ids,
) -> anyhow::Result<Arc<Engine>> {
    let watch = log.watch();
    match identity::compare(&**log, &watch).await {
        // Told below.
        Ok(_) | Err(LogError::Closed(_)) => {}
        Err(error) => return Err(error).context("cannot compare the log with what is known of it"),
    }
    let folder = Arc::new(Folder::new(Family::Live, log.clone(), live.clone()));
    if let Prepared::Outdated = folder.prepare().await.context("cannot prepare the views")?
        && watch.closed().is_none()
    {
        tracing::info!("the views are of another version: rebuilding them from the log");
        folder.rebuild().await.context("cannot rebuild the views")?;
    }
    let compared = identity::compare_views(&folder, &**log, &watch).await;
    compared.context("cannot compare the views with the log")?;
    let engine = Engine::new(log.clone(), live.clone(), folder.clone(), clock, ids);
    if let Some(why) = engine.closed() {
        tracing::error!(reason = why.as_str(), "{why}");
        return Ok(Arc::new(engine));
    }
    resume(&folder).await;
    // A crash may have left records unfolded, and a loss of power views that fell behind.
    folder.sweep().await.context("cannot bring the views up to the log")?;
    // Before anybody is told that a name is free.
    Names::default().settle(&engine).await.context("cannot claim names as they are folded now")?;
    Ok(Arc::new(engine))
}

/// What feeds the auditors' views on these stores. Nobody waits for them: where their tables are of
/// another version they are left to whoever sweeps.
pub async fn audit(log: &Arc<dyn Log>, audit: &Arc<dyn SqlStore>) -> anyhow::Result<Arc<Folder>> {
    let folder = Folder::new(Family::Audit, log.clone(), audit.clone());
    // Nobody waits for a turn: the larger a page, the less often a row is written that many
    // exchanges change.
    let folder = Arc::new(folder.with_page(Folder::LARGE_PAGE));
    if folder.prepare().await.context("cannot prepare the auditors' views")? != Prepared::Outdated {
        let compared = identity::compare_views(&folder, &**log, &log.watch()).await;
        compared.context("cannot compare the auditors' views with the log")?;
    }
    Ok(folder)
}

/// Tries stopped organizations again: a new version may understand what the old one could not.
pub async fn resume(folder: &Folder) {
    let family = folder.family().as_str();
    let Ok(status) = folder.status().await else { return };
    for view in status.iter().filter(|v| v.stopped.is_some()) {
        match folder.resume(view.organization).await {
            Ok(_) => tracing::info!(family, organization = %view.organization, "views resumed"),
            Err(error) => {
                tracing::error!(family, organization = %view.organization, %error, "views are still stopped")
            }
        }
    }
}
