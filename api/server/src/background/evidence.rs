//! Writes what strangers sent into the ring beside the log.

use super::job::{Incomplete, Job};
use rollcall_door::App;
use std::time::Duration;

/// How long to wait between two passes: so much of it a crash may lose.
const PAUSE: Duration = Duration::from_millis(500);

/// Writes what waits.
pub struct Evidence;

impl Job for Evidence {
    const NAME: &'static str = "evidence";

    fn pause(&self) -> Duration {
        PAUSE
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        app.strangers.evidence.flush().await.map_err(Incomplete::all)
    }
}
