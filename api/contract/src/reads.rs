//! Reads: who asked what of an organization's history, and how often.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which questions, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ReadQuery {
    /// At most so many; 100 if absent, 1000 at most.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// The next page: `next-cursor` of the page before, with its other parameters as they were.
    pub cursor: Option<String>,
}

/// A question that was asked in a session of reading, however many pages its answer had.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReadSummary {
    /// Its place: newer questions have higher ones.
    pub number: u64,
    /// The request that asked it first: its `read-id`.
    pub id: Uuid,
    /// Who asked.
    pub caller: Value,
    /// The exchange in the log that the session began with.
    pub session: Uuid,
    /// What was asked, such as `audit.exchanges.list`; absent where the oldest questions of a
    /// caller are added up.
    pub operation: Option<String>,
    /// Path and query without what turns pages; absent where questions are added up.
    pub question: Option<String>,
    /// When it was first asked.
    #[serde(serialize_with = "crate::time::serialize")]
    pub first_at: DateTime<Utc>,
    /// When it was last asked.
    #[serde(serialize_with = "crate::time::serialize")]
    pub last_at: DateTime<Utc>,
    /// How many requests asked it.
    pub requests: u64,
    /// How many rows they were given; a file of any length counts as one.
    pub rows: u64,
    /// How many of them were refused.
    pub refused: u64,
}
