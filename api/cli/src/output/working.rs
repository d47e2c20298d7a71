//! That something takes its time: a line on standard error that moves, where that is a terminal, from
//! the first second on.

use indicatif::{ProgressBar, ProgressStyle};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// What takes less shows nothing.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How often the line moves.
const MOVES: Duration = Duration::from_millis(120);

/// Whether a line is there already: what is done on the way to something shows that.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// Shown until it is dropped.
pub struct Working(Option<(ProgressBar, JoinHandle<()>)>);

impl Working {
    /// Begins something, such as `waiting for the server`.
    pub fn begin(what: &'static str) -> Self {
        if !console::user_attended_stderr() || SHOWN.swap(true, Ordering::SeqCst) {
            return Self(None);
        }
        let bar = ProgressBar::hidden();
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg}, {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_message(what);
        let shown = bar.clone();
        let later = tokio::spawn(async move {
            tokio::time::sleep(AT_ONCE).await;
            shown.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            shown.enable_steady_tick(MOVES);
        });
        Self(Some((bar, later)))
    }

    /// How much there is by now, such as `1200 rows`.
    pub fn at(&self, so_far: impl FnOnce() -> String) {
        if let Some((bar, _)) = &self.0 {
            bar.set_message(so_far());
        }
    }

    /// Does something while the line is away, such as writing to the same terminal.
    pub fn aside<T>(&self, doing: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some((bar, _)) => bar.suspend(doing),
            None => doing(),
        }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Some((bar, later)) = self.0.take() {
            later.abort();
            bar.finish_and_clear();
            SHOWN.store(false, Ordering::SeqCst);
        }
    }
}
