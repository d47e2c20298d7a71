//! The job that tells the service manager that appends go on. It is not told by the clock: a writer
//! that is stuck must be noticed, and is by nothing else. A disk that is full is not stuck; a start
//! would not empty it.

use super::job::{Incomplete, Job};
use crate::notify;
use rollcall_door::App;
use rollcall_engine::AppendCounts;
use std::time::Duration;

/// How often it looks within the patience of the service manager.
const LOOKS: u32 = 6;

/// Feeds the watchdog.
pub struct Watchdog {
    pause: Duration,
    before: AppendCounts,
}

impl Watchdog {
    /// For a service manager of so much patience.
    pub fn new(patience: Duration) -> Self {
        Self { pause: patience / LOOKS, before: AppendCounts::default() }
    }
}

impl Job for Watchdog {
    const NAME: &'static str = "watchdog";
    const WHILE_CLOSED: bool = true;

    fn pause(&self) -> Duration {
        self.pause
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        // Goes through the queue of the writer where that is a thread of ours. What it says is
        // told by another job; here it counts that it comes back at all.
        let _ = app.engine.log.ping().await;
        let now = app.engine.appends.counts();
        if now.goes_on_since(self.before) {
            notify::alive();
        } else {
            tracing::warn!(under_way = now.begun - now.ended, "no append has ended for a while");
        }
        self.before = now;
        Ok(())
    }
}
