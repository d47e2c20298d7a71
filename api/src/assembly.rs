//! From stores to an engine whose views are up to the log: how every application begins.

use crate::clock::Clock;
use crate::engine::Engine;
use crate::ids::Ids;
use crate::stores::Stores;
use anyhow::Context;
use rollcall_projections::fold::Folder;
use rollcall_projections::schema::{Prepared, prepare};
use std::sync::Arc;

/// An engine on these stores. Views of another version are rebuilt first, and what a crash left
/// unfolded is folded.
pub async fn engine(stores: &Stores, clock: Clock, ids: Ids) -> anyhow::Result<Arc<Engine>> {
    let folder = Arc::new(Folder::new(stores.log.clone(), stores.views.clone()));
    if let Prepared::Outdated = prepare(&*stores.views).await.context("cannot prepare the views")? {
        tracing::info!("the views are of another version: rebuilding them from the log");
        folder.rebuild().await.context("cannot rebuild the views")?;
    }
    resume(&folder).await;
    // A crash may have left records unfolded, and a loss of power views that fell behind.
    folder.sweep().await.context("cannot bring the views up to the log")?;
    Ok(Arc::new(Engine::new(stores.log.clone(), stores.views.clone(), folder, clock, ids)))
}

/// A new version may understand what the old one could not.
async fn resume(folder: &Folder) {
    let Ok(status) = folder.status().await else { return };
    for view in status.iter().filter(|v| v.stopped.is_some()) {
        match folder.resume(view.organization).await {
            Ok(_) => tracing::info!(organization = %view.organization, "views resumed"),
            Err(error) => tracing::error!(organization = %view.organization, %error, "views are still stopped"),
        }
    }
}
