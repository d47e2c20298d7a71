//! Which log is served, and whether it is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The log of a server.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogBody {
    /// Which log it is. Another one after a restore, and after it was accepted.
    pub epoch: Uuid,
    /// Why nothing is served by it; none if all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<ClosedBody>,
    /// Organizations of which more is known than the log holds.
    pub lost: Vec<LostBody>,
}

/// Why nothing is served.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClosedBody {
    /// A stable word: `another-log`, `went-back`, `another-history`, `copied`, `replaced` or
    /// `restoring`.
    pub reason: String,
    /// The same as a sentence, with what to do.
    pub detail: String,
}

/// How much of an organization's log is not there any more.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LostBody {
    /// Whose log.
    pub organization_id: Uuid,
    /// The last position that is known.
    pub known_position: u64,
    /// The number of the last exchange that is known.
    pub known_exchange: u64,
    /// The last position that is there.
    pub position: u64,
    /// The number of the last exchange that is there.
    pub exchange: u64,
}

/// Lets time go back to a clock that ran ahead.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectClock {
    /// Why, for those who ask later: at most 1,000 characters.
    pub because: String,
}

/// Time has gone back.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClockCorrectedBody {
    /// The time that was gone by until then.
    #[serde(serialize_with = "crate::time::serialize")]
    pub was: DateTime<Utc>,
    /// The time it is.
    #[serde(serialize_with = "crate::time::serialize")]
    pub is: DateTime<Utc>,
    /// Organizations with records that say to be later than this.
    pub organizations: Vec<Uuid>,
}

/// Lets the log count as it is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptLog {
    /// Why, for those who ask later: at most 1,000 characters.
    pub because: String,
}
