//! How far a simulation is: a line that moves on a terminal, a line for each run elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use rollcall_entra::log::{ObjectSummary, Recorder, Run, RunKind, RunState, Sent};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Off a terminal, no more than a line in so much time; runs with nothing to do are passed over.
const QUIET: Duration = Duration::from_secs(5);

/// Shows progress on standard error.
pub enum Progress {
    /// Not at all.
    Silent,
    /// On a terminal.
    Bar(ProgressBar),
    /// As lines; when the last one was written.
    Lines(Mutex<Option<Instant>>),
}

impl Progress {
    /// Begins; silent if asked to be.
    pub fn new(silent: bool) -> Self {
        if silent {
            return Self::Silent;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines(Mutex::default());
        }
        let style = ProgressStyle::with_template("{spinner} {pos} requests, {per_sec}  {msg}");
        let bar = ProgressBar::new_spinner();
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Self::Bar(bar)
    }

    /// Takes the moving line away.
    pub fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn line(run: &Run) -> String {
    let kind = match run.kind {
        RunKind::ConnectionTest => "connection test",
        RunKind::Initial => "initial cycle",
        RunKind::Incremental => "cycle",
        RunKind::Restart => "cycle after a restart",
        RunKind::OnDemand => "on demand",
    };
    let state = match run.state {
        RunState::Succeeded => "",
        RunState::EntryLevelErrors => ", with errors",
        RunState::Failed => ", failed",
    };
    let at = run.began.format("%Y-%m-%d %H:%M");
    format!(
        "{at}  {kind}: {} requests, {} exported, {} failed{state}",
        run.requests, run.exported, run.failed
    )
}

impl Recorder for Progress {
    fn sent(&self, _: Sent) {
        if let Self::Bar(bar) = self {
            bar.inc(1);
        }
    }

    fn summary(&self, _: ObjectSummary) {}

    fn run(&self, run: Run) {
        match self {
            Self::Silent => {}
            Self::Bar(bar) => bar.set_message(line(&run)),
            Self::Lines(told) => {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                let idle = run.exported == 0 && run.failed == 0 && run.state == RunState::Succeeded;
                if !idle && told.is_none_or(|t| t.elapsed() >= QUIET) {
                    *told = Some(Instant::now());
                    rollcall_cli::output::note(&line(&run));
                }
            }
        }
    }
}
