//! The job of the log's identity: holds what is known of it against it, and keeps what is known.

use super::job::{Incomplete, Job};
use crate::known;
use rollcall_domain::log::{Closed, Known};
use rollcall_door::App;
use std::time::Duration;

/// How long a log that went backwards may go unnoticed while nobody asks anything of it.
const PAUSE: Duration = Duration::from_secs(1);

/// Compares, and keeps.
#[derive(Default)]
pub struct Identity {
    kept: Known,
    told: Option<Closed>,
}

impl Job for Identity {
    const NAME: &'static str = "identity";
    const WHILE_CLOSED: bool = true;

    fn pause(&self) -> Duration {
        PAUSE
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        let compared = app.engine.compare().await;
        let closed = app.engine.closed();
        if closed != self.told {
            match &closed {
                Some(why) => tracing::error!(reason = why.as_str(), "{why}"),
                None => tracing::info!("the log is served again"),
            }
            self.told = closed;
        }
        for reason in Closed::WORDS {
            let is_so = closed.is_some_and(|why| why.as_str() == reason);
            metrics::gauge!("rollcall_log_closed", "reason" => reason)
                .set(f64::from(u8::from(is_so)));
        }
        compared.map_err(Incomplete::all)?;
        let known = app.engine.known();
        if closed.is_none() && known != self.kept {
            known::keep(&app.config.data, &known).map_err(|e| Incomplete::All(e.into()))?;
            self.kept = known;
        }
        Ok(())
    }
}
