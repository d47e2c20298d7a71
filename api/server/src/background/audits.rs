//! Holds the log against its ledgers now and then, without hurry.

use super::job::{Incomplete, Job};
use rollcall_door::App;
use rollcall_office::ledgers;
use std::time::Duration;

/// How long to wait between two passes, and before the first: a server that starts has better to
/// do.
const PAUSE: Duration = Duration::from_secs(24 * 3_600);
const FIRST: Duration = Duration::from_secs(3_600);

/// How long others come first after 256 entries: half a million entries take two minutes and more.
const STEP: Duration = Duration::from_millis(50);

/// Audits each ledger once a day.
#[derive(Default)]
pub struct Audits;

impl Job for Audits {
    const NAME: &'static str = "audits";

    fn pause(&self) -> Duration {
        PAUSE
    }

    fn first(&self) -> Duration {
        FIRST
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        let mut failed = 0;
        for (organization, _) in app.engine.log.heads().await.map_err(Incomplete::all)? {
            if let Err(error) = ledgers::audit(app, organization, Some(STEP)).await {
                tracing::warn!(%organization, %error, "a ledger could not be audited");
                failed += 1;
            }
        }
        Incomplete::unless_none(failed)
    }
}
