//! Names claimed as they are folded now.

use crate::{Engine, RefoldError, Refolded};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::LogError;
use std::collections::HashSet;

/// Claims names as they are folded now.
#[derive(Debug, Default)]
pub struct Names {
    /// Organizations of which all names are claimed so.
    settled: HashSet<OrganizationId>,
}

impl Names {
    /// Claims the names of all organizations that are not settled. Gives how many cannot be,
    /// because their log is damaged: their views have stopped there already, and say so.
    ///
    /// # Errors
    /// If the log cannot be read or written: what was done until then stays.
    pub async fn settle(&mut self, engine: &Engine) -> Result<usize, RefoldError> {
        let mut damaged = 0;
        for (organization, _) in engine.log.heads().await? {
            if organization == OrganizationId::NONE || self.settled.contains(&organization) {
                continue;
            }
            match engine.refold(organization).await {
                Ok(None) => drop(self.settled.insert(organization)),
                Ok(Some(done)) => tell(organization, done),
                Err(RefoldError::Log(LogError::Damaged(error))) => {
                    tracing::error!(%organization, error, "names cannot be claimed as they are folded now");
                    damaged += 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(damaged)
    }
}

fn tell(organization: OrganizationId, done: Refolded) {
    let Refolded { moved, contested } = done;
    metrics::gauge!("rollcall_contested_names", "organization" => organization.to_string())
        .set(contested as f64);
    if moved > 0 {
        tracing::info!(%organization, moved, "names are claimed as they are folded now");
    }
    if contested > 0 {
        tracing::warn!(%organization, contested, "users have a name that another user holds: rollcall claims collisions");
    }
}
