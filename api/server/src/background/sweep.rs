//! The job of the views: folds what nobody waited for, one job for each family.

use super::job::{Incomplete, Job};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::sql::Family;
use rollcall_door::App;
use rollcall_door::config::ServeConfig;
use rollcall_engine::begin::resume;
use rollcall_projections::fold::{FoldError, Folder};
use rollcall_projections::status::Lag;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait after views could not be made anew.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// How long to wait while much is appended: what comes meanwhile is folded in one page, at a
/// fraction of the work. With the fold itself nothing is more than 5 seconds behind.
const UNDER_LOAD: Duration = Duration::from_secs(4);
/// Records and exchanges in one pass that are much.
const MUCH: u64 = 500;

/// Sweeps a family. What is in the middle when the server stops is rolled back, and folded at the
/// next start.
pub struct Sweep {
    folder: Arc<Folder>,
    pause: Duration,
    /// Whether stopped organizations are still to be tried again.
    resuming: bool,
    /// Organizations that lagged at the last pass.
    behind: BTreeSet<OrganizationId>,
    /// Whether the last pass found much.
    loaded: bool,
}

/// How long to wait after a pass.
fn pause(usual: Duration, loaded: bool) -> Duration {
    if loaded { usual.max(UNDER_LOAD) } else { usual }
}

fn is_much(lags: &[Lag]) -> bool {
    lags.iter().map(|lag| lag.records + lag.exchanges).sum::<u64>() > MUCH
}

impl Sweep {
    /// For the views of a folder.
    pub fn new(folder: Arc<Folder>, config: &ServeConfig) -> Self {
        // Of the live family this was done before the server listened.
        let resuming = folder.family() == Family::Audit;
        Self {
            folder,
            pause: Duration::from_millis(config.sweep_ms),
            resuming,
            behind: BTreeSet::new(),
            loaded: false,
        }
    }
}

impl Job for Sweep {
    const NAME: &'static str = "sweep";

    fn pause(&self) -> Duration {
        if self.folder.is_outdated() { AFTER_FAILURE } else { pause(self.pause, self.loaded) }
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        let family = self.folder.family();
        // Until views of another version are made anew, whoever asks them is told to come back.
        if self.folder.is_outdated() {
            tracing::info!(
                family = family.as_str(),
                "the views are of another version: rebuilding them from the log"
            );
            self.folder.rebuild().await.map_err(Incomplete::all)?;
        }
        if std::mem::take(&mut self.resuming) {
            resume(&self.folder).await;
        }
        let lags = self.folder.sweep().await.map_err(Incomplete::all)?;
        self.loaded = is_much(&lags);
        lags.iter().for_each(|lag| measure(app, family, lag));
        let failed: BTreeSet<_> =
            lags.iter().filter(|lag| lag.outcome.is_err()).map(|lag| lag.organization).collect();
        // Whoever put them right does not lag any more, and is not among those that do.
        for organization in self.behind.difference(&failed) {
            show(family, *organization, 0, false);
            app.engine.organizations_changed();
        }
        self.behind = failed;
        Incomplete::unless_none(self.behind.len())
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
    metrics::gauge!("rollcall_view_stopped", "family" => family, "organization" => organization)
        .set(f64::from(u8::from(stopped)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_projections::fold::Folded;

    fn lag(records: u64, exchanges: u64) -> Lag {
        let outcome = Ok(Folded::default());
        Lag { organization: OrganizationId::NONE, records, exchanges, outcome }
    }

    #[test]
    fn a_fold_gives_way_to_load_and_is_never_more_than_five_seconds_behind() {
        let usual = Duration::from_secs(1);
        for (lags, much) in [
            (vec![], false),
            (vec![lag(MUCH, 0)], false),
            (vec![lag(MUCH, 1)], true),
            (vec![lag(0, MUCH), lag(1, 0)], true),
        ] {
            assert_eq!(is_much(&lags), much, "{lags:?}");
            let waits = pause(usual, is_much(&lags));
            assert_eq!(waits > usual, much);
            assert!(waits < Duration::from_secs(5), "with room for the fold itself");
        }
        // Whoever has asked for longer pauses keeps them.
        assert_eq!(pause(Duration::from_secs(60), true), Duration::from_secs(60));
    }
}
