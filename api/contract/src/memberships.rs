//! Every time that somebody was in a group.

use crate::moment::Moment;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which memberships.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct MembershipQuery {
    /// Seen from a date, an instant (RFC 3339), `position:N`, `run:ID` or an age such as `-2d`; from
    /// now, if absent.
    #[serde(alias = "asOf")]
    pub as_of: Option<String>,
    /// Only those that began after this position.
    pub after: u64,
    /// At most so many; 100 if absent, 1000 at most.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// The next page: `next-cursor` of the page before, with its other parameters as they were.
    pub cursor: Option<String>,
}

/// An event that began or ended a membership.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TurnBody {
    /// Its position.
    pub position: u64,
    /// When it was recorded.
    #[serde(serialize_with = "crate::time::serialize")]
    pub recorded_at: DateTime<Utc>,
    /// Its name; a membership ends with a `GroupMembersRemoved` or a deletion.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The exchange that caused it.
    pub exchange: Option<Uuid>,
}

/// One time that somebody was in a group.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MembershipBody {
    /// The group.
    pub group_id: Uuid,
    /// Its name when this began.
    pub group: String,
    /// The member.
    pub member_id: Uuid,
    /// `User` or `Group`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name when this began.
    pub member: String,
    /// By what it began.
    pub from: TurnBody,
    /// By what it ended; absent if it has not.
    pub to: Option<TurnBody>,
}

/// Memberships in the order in which they began.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MembershipsBody {
    /// The moment they are seen from.
    pub as_of: Moment,
    /// The memberships.
    pub memberships: Vec<MembershipBody>,
    /// The `cursor` of the next page, as in the header `next-cursor`; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
