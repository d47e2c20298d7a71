//! The members of a group as they were, and an access review of it.

use crate::format::Format;
use crate::moment::Moment;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which members.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct MemberQuery {
    /// A date, an instant (RFC 3339), `position:N`, `run:ID` or an age such as `-2d`; now, if
    /// absent.
    #[serde(alias = "asOf")]
    pub as_of: Option<String>,
    /// Only those who joined after this position.
    pub after: u64,
    /// At most so many; 100 if absent, 1000 at most.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// The next page: `next-cursor` of the page before, with its other parameters as they were.
    pub cursor: Option<String>,
}

/// Somebody who was in a group.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MemberBody {
    /// Its id.
    pub id: Uuid,
    /// `User` or `Group`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name then.
    pub display: String,
    /// Whether a user was switched on then.
    pub active: Option<bool>,
    /// Position of the event by which it joined.
    pub since: u64,
}

/// Members of a group at a moment, in the order in which they joined.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MembersBody {
    /// The moment.
    pub as_of: Moment,
    /// The members.
    pub members: Vec<MemberBody>,
    /// The `cursor` of the next page, as in the header `next-cursor`; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How a review is written.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ReviewQuery {
    /// A date, an instant (RFC 3339), `position:N`, `run:ID` or an age such as `-2d`; now, if
    /// absent.
    #[serde(alias = "asOf")]
    pub as_of: Option<String>,
    /// `json` (if absent), `ndjson` or `csv`.
    pub format: Format,
}

/// One member in an access review: who, since when, by what, in which run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReviewRow {
    /// The group.
    pub group_id: Uuid,
    /// Its name at the moment of the review.
    pub group: String,
    /// The member.
    pub member_id: Uuid,
    /// `User` or `Group`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name at the moment of the review.
    pub member: String,
    /// Whether a user was switched on at the moment of the review.
    pub active: Option<bool>,
    /// When it joined.
    #[serde(serialize_with = "crate::time::serialize")]
    pub since: DateTime<Utc>,
    /// Position of the event by which it joined.
    pub position: u64,
    /// The exchange that asked for it; absent if the operator did.
    pub exchange: Option<Uuid>,
    /// The run that exchange belongs to; absent if it is of none.
    pub run: Option<Uuid>,
    /// What that run was, such as `incremental` or `on-demand`.
    pub run_kind: Option<String>,
}
