//! A log of which only numbers are kept.

use super::{ObjectSummary, Recorder, Run, RunKind, RunState, Sent, StepResult};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How much of what there was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Runs by kind.
    pub runs: BTreeMap<&'static str, u64>,
    /// Runs that failed as such.
    pub failed_runs: u64,
    /// Requests.
    pub requests: u64,
    /// Answers by status; `none` for those that did not come.
    pub statuses: BTreeMap<String, u64>,
    /// Objects exported.
    pub exported: u64,
    /// Objects that failed, by code.
    pub failures: BTreeMap<String, u64>,
}

/// Counts, and hands everything on.
pub struct Counting<R> {
    counts: Mutex<Counts>,
    next: R,
}

impl<R: Recorder> Counting<R> {
    /// Before another recorder.
    pub fn new(next: R) -> Self {
        Self { counts: Mutex::default(), next }
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The counts, and what they were handed to.
    pub fn into_parts(self) -> (Counts, R) {
        (self.counts.into_inner().unwrap_or_else(PoisonError::into_inner), self.next)
    }

    fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl<R: Recorder> Recorder for Counting<R> {
    fn sent(&self, sent: Sent) {
        let status = sent.status.map_or_else(|| "none".to_owned(), |s| s.to_string());
        self.count(|c| {
            c.requests += 1;
            *c.statuses.entry(status).or_default() += 1;
        });
        self.next.sent(sent);
    }

    fn summary(&self, summary: ObjectSummary) {
        let info = &summary.provisioning_status_info;
        let code = info.error_information.as_ref().map(|e| e.error_code.clone());
        self.count(|c| match (info.status, code) {
            (StepResult::Failure, code) => {
                *c.failures.entry(code.unwrap_or_default()).or_default() += 1
            }
            (StepResult::Success, _) => c.exported += 1,
            _ => {}
        });
        self.next.summary(summary);
    }

    fn run(&self, run: Run) {
        self.count(|c| {
            *c.runs.entry(kind(run.kind)).or_default() += 1;
            c.failed_runs += u64::from(run.state == RunState::Failed);
        });
        self.next.run(run);
    }
}

fn kind(kind: RunKind) -> &'static str {
    match kind {
        RunKind::ConnectionTest => "connection test",
        RunKind::Initial => "initial",
        RunKind::Incremental => "incremental",
        RunKind::Restart => "restart",
        RunKind::OnDemand => "on demand",
    }
}

/// Several recorders, or none.
impl<R: Recorder> Recorder for Vec<R> {
    fn sent(&self, sent: Sent) {
        self.iter().for_each(|r| r.sent(sent.clone()));
    }
    fn summary(&self, summary: ObjectSummary) {
        self.iter().for_each(|r| r.summary(summary.clone()));
    }
    fn run(&self, run: Run) {
        self.iter().for_each(|r| r.run(run.clone()));
    }
}
