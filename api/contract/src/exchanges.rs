//! Exchanges.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which exchanges.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ExchangeQuery {
    /// Only exchanges after this number, oldest first.
    pub after: Option<u64>,
    /// Only exchanges before this number, newest first; the newest of all if neither is given.
    pub before: Option<u64>,
    /// At most so many; 100 if absent, 1000 at most.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// The next page: `next-cursor` of the page before, with its other parameters as they were.
    pub cursor: Option<String>,
    /// Only those that were answered with an error.
    pub failed: bool,
    /// Only those with a PATCH shape that is not known.
    pub unknown_shape: bool,
    /// Only this operation, such as `users.patch`.
    pub operation: Option<String>,
    /// Only those about the resource with this id.
    pub subject: Option<String>,
    /// Only those of the run with this id.
    pub run: Option<Uuid>,
    /// Those of strangers, which lie beside the log while they last; true for `none` if absent.
    pub strangers: Option<bool>,
}

/// One exchange in a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExchangeSummary {
    /// Place among the organization's exchanges.
    pub number: u64,
    /// Its id.
    pub id: Uuid,
    /// When it began.
    #[serde(serialize_with = "crate::time::serialize")]
    pub received_at: DateTime<Utc>,
    /// What was asked for.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Path and query, shortened.
    pub target: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// SCIM error type.
    pub scim_type: Option<String>,
    /// SCIM error text.
    pub detail: Option<String>,
    /// The resource it was about.
    pub subject: Option<String>,
    /// The token it came with.
    pub token: Option<Uuid>,
    /// The peer's address.
    pub source: Option<String>,
    /// Microseconds from the first byte to the append.
    pub duration_us: u64,
    /// Position of its first event.
    pub first_position: Option<u64>,
    /// Position of its last event.
    pub last_position: Option<u64>,
    /// Liberties taken to read it.
    pub interpretations: Value,
    /// True if it had a shape that is not known.
    pub unknown_shape: bool,
    /// The bulk exchange it is a part of.
    pub parent: Option<Uuid>,
    /// The exchange that the operator submitted again with this one.
    pub replays: Option<Uuid>,
}

/// One exchange with everything that was kept of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExchangeBody {
    /// Place among the organization's exchanges.
    pub number: u64,
    /// Positions of its first and last event.
    pub positions: Option<(u64, u64)>,
    /// The organization's position when it was appended.
    pub after: u64,
    /// Request and answer without bodies.
    pub exchange: Value,
    /// The request body as received, secrets removed.
    pub request_body: Option<String>,
    /// The request body in base64, if it is not UTF-8.
    pub request_body_base64: Option<String>,
    /// The body of the answer, unless it was too long to keep.
    pub answer_body: Option<String>,
}

/// The exchange in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ExchangePath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Id of the exchange.
    pub exchange: Uuid,
}
