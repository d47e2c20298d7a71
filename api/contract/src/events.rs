//! Events.

use crate::exchanges::ExchangeSummary;
use crate::format::Format;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which events.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Only events after this position.
    pub after: u64,
    /// Only events up to this position.
    pub until: Option<u64>,
    /// At most so many; 100 if absent, 1000 at most. An export has no limit.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// The next page: `next-cursor` of the page before, with its other parameters as they were. An
    /// export has no pages.
    pub cursor: Option<String>,
    /// Only events of this user, group or organization.
    pub subject: Option<Uuid>,
    /// Only events of this type, such as `UserCreated`.
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    /// Only events by this actor: `operator`, `system`, `scim_token:ID` or `user:ID`.
    pub actor: Option<String>,
    /// Only events that this exchange caused.
    pub exchange: Option<Uuid>,
    /// Only events that the exchanges of this run caused.
    pub run: Option<Uuid>,
    /// Only events from this moment on: recorded at an instant or later, at a position or later,
    /// after a run.
    pub from: Option<String>,
    /// Only events up to this moment, inclusive.
    pub to: Option<String>,
    /// Of an export: `json` (if absent), `ndjson`, `csv` or `cloudevents`.
    pub format: Format,
}

/// An event in its envelope.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EventBody {
    /// Place in the organization's log: 1, 2, 3... without a gap.
    pub position: u64,
    /// Stable name of the event.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Version of the payload.
    pub payload_version: String,
    /// `User`, `Group` or `Organization`.
    pub aggregate: String,
    /// The aggregate's id.
    pub subject: Uuid,
    /// What a user or group was called right after it; of changes of a run, and of one event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_name: Option<String>,
    /// Place in the aggregate's stream.
    pub version: u64,
    /// When it was decided.
    #[serde(serialize_with = "crate::time::serialize")]
    pub recorded_at: DateTime<Utc>,
    /// The exchange that caused it.
    pub exchange: Option<Uuid>,
    /// Who caused it.
    pub actor: Value,
    /// What happened, with values before and after.
    pub payload: Value,
    /// The liberties taken to read the exchange; in lists, not in exports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<Reading>,
}

/// An event with what it changed and what led to it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EventDetail {
    /// The event.
    pub event: EventBody,
    /// The user or group right before it.
    pub before: Option<Value>,
    /// The user or group right after it.
    pub after: Option<Value>,
    /// The exchange that caused it, with how it was read.
    pub exchange: Option<ExchangeSummary>,
    /// The run of that exchange, if it belongs to one.
    #[serde(default)]
    pub run: Option<Uuid>,
}

/// The event in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EventPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Its position.
    pub position: u64,
}

/// A liberty taken to read a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reading {
    /// Its name, such as `string-boolean`.
    pub reading: String,
    /// Where in the request; empty if that was erased.
    #[serde(default)]
    pub at: String,
}
