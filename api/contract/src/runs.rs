//! Runs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct RunQuery {
    /// Only this kind: `initial`, `incremental`, `restart`, `on-demand`, `connection-test`,
    /// `account-discovery`, `other-client`.
    pub kind: Option<String>,
    /// Only those with failures.
    pub failed: bool,
    /// Only those that changed something.
    pub changed: bool,
    /// Only runs that began after the exchange with this number, oldest first.
    pub after: Option<u64>,
    /// Only runs that began before the exchange with this number, newest first; the newest of all
    /// if neither is given.
    pub before: Option<u64>,
    /// At most so many; 50 if absent, 1000 at most.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// The next page: `next-cursor` of the page before, with its other parameters as they were.
    pub cursor: Option<String>,
}

/// A run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunBody {
    /// Its id.
    pub run: Uuid,
    /// What it was.
    pub kind: String,
    /// How sure that is: `low`, `medium`, `high`, or `confirmed` by Entra's own log.
    pub confidence: String,
    /// What that was concluded from, in words.
    pub evidence: Vec<String>,
    /// The same for programs.
    pub facts: Value,
    /// `open` while it may still go on, else `ended`.
    pub state: String,
    /// When its first exchange came in.
    #[serde(serialize_with = "crate::time::serialize")]
    pub began_at: DateTime<Utc>,
    /// When its last exchange came in.
    #[serde(serialize_with = "crate::time::serialize")]
    pub ended_at: DateTime<Utc>,
    /// Seconds between the two.
    pub seconds: f64,
    /// Number of its first exchange.
    pub first_number: u64,
    /// Its first exchange.
    pub first_exchange: Uuid,
    /// Number of its last exchange.
    pub last_number: u64,
    /// The token it came with.
    pub token: Uuid,
    /// Addresses it came from, at most eight.
    pub sources: Vec<String>,
    /// Exchanges.
    pub exchanges: u64,
    /// Exchanges by operation.
    pub operations: BTreeMap<String, u64>,
    /// Exchanges that changed something.
    pub changes: u64,
    /// Events they caused.
    pub events: u64,
    /// Exchanges answered with an error.
    pub failures: u64,
    /// Exchanges that tried again what failed in an earlier run.
    pub retries: u64,
    /// Users asked for or changed; an estimate above 64.
    pub users: u64,
    /// Groups asked for or changed; an estimate above 64.
    pub groups: u64,
    /// Resources written to; an estimate above 64.
    pub written: u64,
    /// Seconds since the cycle before it began.
    pub since_previous_seconds: Option<i64>,
    /// Seconds that usually lie between two cycles.
    pub usual_seconds: Option<i64>,
    /// Cycles that should have come in between.
    pub missed: Option<i64>,
}

/// The run in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RunPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Id of the run.
    pub run: Uuid,
}

/// Which changes of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ChangeQuery {
    /// Only changes after this position.
    pub after: u64,
    /// At most so many; 100 if absent, 1000 at most.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// The next page: `next-cursor` of the page before, with its other parameters as they were.
    pub cursor: Option<String>,
}

/// Whether an organization's cycles still come.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RhythmBody {
    /// `never`, `regular`, `late`, `silent`, or `stretched` as by a job in quarantine.
    pub state: String,
    /// When the last cycle began.
    #[serde(serialize_with = "crate::time::optional")]
    pub last_cycle_at: Option<DateTime<Utc>>,
    /// Seconds since then.
    pub age_seconds: Option<i64>,
    /// Seconds that usually lie between two cycles.
    pub usual_seconds: Option<i64>,
}
