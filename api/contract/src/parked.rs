//! Deliveries to a consumer that failed for long and were set aside, and those behind them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which deliveries that were set aside, in the order of the log.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ParkedQuery {
    /// At most so many; 100 if absent, 1000 at most.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// The next page: `next-cursor` of the page before.
    pub cursor: Option<String>,
}

/// A delivery that was set aside.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ParkedBody {
    /// Names it: the position of its event's record in the log, and its part.
    pub delivery: String,
    /// Place of its event's record in the log.
    pub position: u64,
    /// Which of the record's events it is, counted from 1.
    pub part: u64,
    /// Id of the event.
    pub event: String,
    /// Such as `user.deactivated`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// What it is about, such as `user/` and an id: nothing later about that is delivered before it.
    pub subject: String,
    /// When it was set aside.
    #[serde(serialize_with = "crate::time::serialize")]
    pub parked_at: DateTime<Utc>,
    /// How often it was tried; 0 if it waits behind an earlier one of its subject.
    pub attempts: u64,
    /// When it was last tried.
    #[serde(serialize_with = "crate::time::optional")]
    pub tried_at: Option<DateTime<Utc>>,
    /// What came of that: `status-` and the status that was answered, `too-slow`, `connection`,
    /// `unknown-host`, `not-public`, `no-address`, or `nothing-to-tell` if its record was lost.
    pub outcome: Option<String>,
    /// When it is tried again; absent if that is as soon as none of its subject is before it.
    #[serde(serialize_with = "crate::time::optional")]
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// Which deliveries are tried again; all of them, if nothing is said.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TryParked {
    /// Those from this position on.
    pub from: Option<u64>,
    /// Those up to this position.
    pub to: Option<u64>,
}

/// What is tried again within a few seconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct TriedBody {
    /// So many that have none of their subject before them.
    pub now: u64,
    /// So many after those.
    pub behind: u64,
}

/// What was done instead of a delivery.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Handled {
    /// In words, which are kept in the log.
    pub because: String,
}

/// The delivery in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ParkedPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Name or id of the consumer.
    pub consumer: String,
    /// Position and part, as the list has them: `17.1`.
    pub delivery: String,
}

/// What was seen to.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct HandledBody {
    /// The consumer.
    pub consumer: Uuid,
    /// Place of the event's record in the log.
    pub position: u64,
    /// Which of the record's events.
    pub part: u64,
}
