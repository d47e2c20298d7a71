//! From stores to an engine whose views are up to the log: how every application begins.

use crate::background::names::Names;
use crate::background::sweep::resume;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::ids::Ids;
use crate::stores::Stores;
use anyhow::Context;
use rollcall_domain::sql::Family;
use rollcall_projections::fold::Folder;
use rollcall_projections::schema::Prepared;
use std::sync::Arc;

/// An engine on these stores. Views of another version are rebuilt first, and what a crash left
/// unfolded is folded.
pub async fn engine(stores: &Stores, clock: Clock, ids: Ids) -> anyhow::Result<Arc<Engine>> {
    let folder = Arc::new(Folder::new(Family::Live, stores.log.clone(), stores.live.clone()));
    if let Prepared::Outdated = folder.prepare().await.context("cannot prepare the views")? {
        tracing::info!("the views are of another version: rebuilding them from the log");
        folder.rebuild().await.context("cannot rebuild the views")?;
    }
    resume(&folder).await;
    // A crash may have left records unfolded, and a loss of power views that fell behind.
    folder.sweep().await.context("cannot bring the views up to the log")?;
    let engine = Engine::new(stores.log.clone(), stores.live.clone(), folder, clock, ids);
    // Before anybody is told that a name is free.
    Names::default().settle(&engine).await.context("cannot claim names as they are folded now")?;
    Ok(Arc::new(engine))
}

/// What feeds the auditors' views on these stores. Nobody waits for them: where their tables are of
/// another version they are left to whoever sweeps.
pub async fn audit(stores: &Stores) -> anyhow::Result<Arc<Folder>> {
    let folder = Arc::new(Folder::new(Family::Audit, stores.log.clone(), stores.audit.clone()));
    folder.prepare().await.context("cannot prepare the auditors' views")?;
    Ok(folder)
}
