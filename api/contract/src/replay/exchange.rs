//! The line of one exchange.

use super::ReplayResult;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// An answer, shortened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnswerSummary {
    /// HTTP status.
    pub status: u16,
    /// SCIM error type.
    pub scim_type: Option<String>,
    /// SCIM error text.
    pub detail: Option<String>,
}

/// An event, as far as a difference needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventSummary {
    /// Position, if it has one.
    pub position: Option<u64>,
    /// Stable name of the event.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The aggregate's id.
    pub subject: Uuid,
    /// Place in the aggregate's stream.
    pub version: u64,
    /// What happened.
    pub payload: Value,
}

/// One thing that came out otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// What: `events`, `status`, `answer`, `read_as`.
    pub what: String,
    /// As recorded.
    pub recorded: Value,
    /// As it came out.
    pub now: Value,
}

/// What became of one exchange.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExchangeLine {
    /// Place among the organization's exchanges.
    pub number: u64,
    /// Its id.
    pub id: Uuid,
    /// When it was received.
    #[serde(serialize_with = "crate::time::serialize")]
    pub received_at: DateTime<Utc>,
    /// What was asked for.
    pub operation: String,
    /// The resource it was about.
    pub subject: Option<String>,
    /// What became of it.
    pub result: ReplayResult,
    /// Why it was not replayed, or not submitted.
    pub reason: Option<String>,
    /// What was answered then.
    pub recorded: AnswerSummary,
    /// What is answered now.
    pub now: Option<AnswerSummary>,
    /// What came out otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// The rules that changed since it was recorded and explain what came out otherwise (verify): a
    /// reading's name, or another rule's. Nothing explains a difference without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// The events it leads to now (dry run and apply).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventSummary>,
    /// The exchange that submitted it again (apply).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_as: Option<Uuid>,
}

impl ExchangeLine {
    /// The same with a reason.
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}
