//! What the client keeps of its work: Entra's provisioning log, and every request behind it.

mod counts;
mod csv;
mod file;
mod memory;
mod summary;

pub use counts::{Counting, Counts};
pub use csv::to_csv;
pub use file::LogFile;
pub use memory::ProvisioningLog;
pub use summary::{
    Action, ErrorInformation, Identity, ModifiedProperty, ObjectSummary, Party, ProvisioningStep,
    Result as StepResult, StatusInfo, StepType,
};

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// What kind of run it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Test connection.
    ConnectionTest,
    /// The first cycle.
    Initial,
    /// A cycle with what changed.
    Incremental,
    /// A cycle over everything, links kept.
    Restart,
    /// One user, or one group with some members.
    OnDemand,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Everything succeeded.
    Succeeded,
    /// Some objects failed.
    EntryLevelErrors,
    /// The run as such failed.
    Failed,
}

/// One run: a cycle, a run on demand, or a connection test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// Unique; what the provisioning log calls `cycleId`.
    pub cycle_id: Uuid,
    /// Which job it belongs to.
    pub job_id: String,
    /// Kind.
    pub kind: RunKind,
    /// Begin.
    pub began: DateTime<Utc>,
    /// End.
    pub ended: DateTime<Utc>,
    /// Outcome.
    pub state: RunState,
    /// Requests sent.
    pub requests: u64,
    /// Objects changed in the target.
    pub exported: u64,
    /// Objects that failed.
    pub failed: u64,
    /// Why the job is quarantined after it, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<&'static str>,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sent {
    /// The run it belongs to.
    pub cycle_id: Uuid,
    /// The change it belongs to; a probe belongs to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_id: Option<Uuid>,
    /// When it was sent.
    pub at: DateTime<Utc>,
    /// Method.
    pub method: &'static str,
    /// Path below the tenant URL, and query.
    pub target: String,
    /// Status of the answer, if one came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the server called its deliveries; more than one if it was delivered more than once,
    /// none if it was not delivered or the server does not say.
    pub exchanges: Vec<String>,
}

/// Whoever listens to a client. Requests that are under way together may be told in any order.
pub trait Recorder: Send + Sync {
    /// A request was sent, and its answer came or did not.
    fn sent(&self, sent: Sent);
    /// An object was dealt with.
    fn summary(&self, summary: ObjectSummary);
    /// A run ended.
    fn run(&self, run: Run);
}

impl<R: Recorder + ?Sized> Recorder for std::sync::Arc<R> {
    fn sent(&self, sent: Sent) {
        (**self).sent(sent);
    }
    fn summary(&self, summary: ObjectSummary) {
        (**self).summary(summary);
    }
    fn run(&self, run: Run) {
        (**self).run(run);
    }
}
