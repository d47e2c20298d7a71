//! All views of a family anew, beside the live ones, then in their place.

use crate::checkpoint::Stop;
use crate::families::prepare;
use crate::fold::{FoldError, Folder};
use crate::schema::made_of;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Head, Log};
use rollcall_domain::sql::{Family, SqlStore};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a rebuild did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Records folded.
    pub records: u64,
    /// Exchanges folded.
    pub exchanges: u64,
    /// Organizations with a log.
    pub organizations: usize,
    /// Those with a record that cannot be folded; their views hold what stands before it.
    pub stopped: BTreeMap<OrganizationId, Stop>,
}

/// So many records and exchanges are folded in well under the time for which the store may be left
/// waiting.
const LITTLE: u64 = 500;
/// Passes until then, at most: a log that grows faster than it is folded is not waited for.
const PASSES: u32 = 20;

/// Rebuilds all views of a family from the log. The live ones answer until the new ones take their
/// place. Where a [`Folder`] serves these views, use [`Folder::rebuild`].
pub async fn rebuild(
    family: Family,
    log: Arc<dyn Log>,
    views: Arc<dyn SqlStore>,
) -> Result<Rebuilt, FoldError> {
    let scratch = views.scratch().await?;
    prepare(family, &*scratch).await?;
    made_of(&*scratch, log.epoch().await?).await?;
    let folder =
        Folder::new(family, Arc::clone(&log), Arc::clone(&scratch)).with_page(Folder::LARGE_PAGE);
    let mut done = Rebuilt::default();
    for _ in 0..PASSES {
        let before = done.records + done.exchanges;
        catch_up(&folder, &mut done).await?;
        if done.records + done.exchanges - before <= LITTLE {
            break;
        }
    }
    // From here on nobody folds; what came in meanwhile is little.
    let exclusive = views.begin_exclusive().await?;
    catch_up(&folder, &mut done).await?;
    drop(folder);
    views.promote(scratch, exclusive).await?;
    tracing::info!(
        family = family.as_str(),
        records = done.records,
        exchanges = done.exchanges,
        organizations = done.organizations,
        "views rebuilt"
    );
    Ok(done)
}

impl Folder {
    /// Rebuilds all views of a family from the log.
    pub async fn rebuild(&self) -> Result<Rebuilt, FoldError> {
        let rebuilt = rebuild(self.family, Arc::clone(&self.log), Arc::clone(&self.views)).await;
        if rebuilt.is_ok() {
            self.replaced();
        }
        rebuilt
    }
}

async fn catch_up(folder: &Folder, done: &mut Rebuilt) -> Result<(), FoldError> {
    let heads: Vec<(OrganizationId, Head)> = folder.log.heads().await?;
    done.organizations = heads.len();
    for (organization, head) in heads {
        if done.stopped.contains_key(&organization) {
            continue;
        }
        match folder.reach(organization, head).await {
            Ok(folded) => {
                done.records += folded.records;
                done.exchanges += folded.exchanges;
            }
            Err(FoldError::Stopped { position, reason, error, .. }) => {
                done.stopped.insert(organization, Stop { position, reason, error });
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
