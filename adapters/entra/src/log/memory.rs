//! A provisioning log kept in memory.

use super::{ObjectSummary, Recorder, Run, Sent};
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runs, requests and summaries, in the order in which they were told.
#[derive(Debug, Default)]
pub struct ProvisioningLog {
    runs: Mutex<Vec<Run>>,
    sent: Mutex<Vec<Sent>>,
    summaries: Mutex<Vec<ObjectSummary>>,
}

impl ProvisioningLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// The runs that have ended.
    pub fn runs(&self) -> Vec<Run> {
        lock(&self.runs).clone()
    }

    /// The requests, by the time at which they were sent.
    pub fn requests(&self) -> Vec<Sent> {
        let mut sent = lock(&self.sent).clone();
        sent.sort_by_key(|s| s.at);
        sent
    }

    /// What became of each object.
    pub fn summaries(&self) -> Vec<ObjectSummary> {
        lock(&self.summaries).clone()
    }

    /// The log as Graph's `GET /auditLogs/provisioning` and the portal's JSON download give it.
    pub fn to_json(&self) -> Value {
        json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#auditLogs/provisioning",
            "value": self.summaries(),
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder for ProvisioningLog {
    fn sent(&self, sent: Sent) {
        lock(&self.sent).push(sent);
    }
    fn summary(&self, summary: ObjectSummary) {
        lock(&self.summaries).push(summary);
    }
    fn run(&self, run: Run) {
        lock(&self.runs).push(run);
    }
}
