//! The job of the log's identity: holds what is known of it against it, keeps what is known, and says
//! what keeps requests from being answered.

use super::job::{Incomplete, Job};
use crate::{health, known};
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
    /// Reasons that were told of last.
    troubles: Vec<&'static str>,
    /// Whether it was told that clocks are apart.
    is_skewed: bool,
}

impl Identity {
    /// Says what keeps requests from being answered, and that it does no more.
    async fn tell_troubles(&mut self, app: &App) {
        let reasons = match app.engine.closed() {
            Some(_) => Vec::new(),
            None => health::reasons(app, &app.engine.log.ping().await).await,
        };
        for (reason, sentence) in &reasons {
            if !self.troubles.contains(reason) {
                tracing::error!(reason, "{sentence}");
            }
        }
        if reasons.is_empty() && !self.troubles.is_empty() {
            tracing::info!("requests can be answered again");
        }
        for reason in health::all_reasons() {
            let is_so = reasons.iter().any(|(so, _)| *so == reason);
            metrics::gauge!("rollcall_trouble", "reason" => reason).set(f64::from(u8::from(is_so)));
        }
        self.troubles = reasons.into_iter().map(|(reason, _)| reason).collect();
        if let Ok(found) = rustix::fs::statvfs(&app.config.data) {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            metrics::gauge!("rollcall_disk_free_bytes").set(free as f64);
        }
    }
}

impl Identity {
    /// Looks at the clock, and says if it is apart from others.
    async fn tell_the_time(&mut self, app: &App) {
        let skew = match app.engine.look_at_the_clock().await {
            Ok(skew) => skew,
            // That it cannot be asked, is told elsewhere.
            Err(_) => return,
        };
        let gauge = |against: &'static str, seconds: f64| {
            metrics::gauge!("rollcall_clock_skew_seconds", "against" => against).set(seconds);
        };
        gauge("log", skew.log.as_seconds_f64());
        if let Some(database) = skew.database {
            gauge("database", database.as_seconds_f64());
        }
        let is_skewed = skew.is_alarming();
        if is_skewed && !self.is_skewed {
            let (reason, seconds) = (health::CLOCK.0, skew.seconds());
            tracing::error!(reason, seconds, "{}", health::CLOCK.1);
        } else if self.is_skewed && !is_skewed {
            tracing::info!("clocks agree again");
        }
        self.is_skewed = is_skewed;
    }
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
        self.tell_troubles(app).await;
        self.tell_the_time(app).await;
        app.engine.look_for_erasures().await.map_err(Incomplete::all)?;
        compared.map_err(Incomplete::all)?;
        let known = app.engine.known();
        if closed.is_none() && known != self.kept {
            known::keep(&app.config.data, &known).map_err(|e| Incomplete::All(e.into()))?;
            self.kept = known;
        }
        Ok(())
    }
}
