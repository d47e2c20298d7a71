//! What a reviewer looks for: people who never sign in, people who left, groups that nobody is in.

use crate::format::Format;
use crate::review::ReviewHead;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What can be looked for.
pub const FINDS: [&str; 4] = ["never-signed-in", "idle", "leavers", "empty-groups"];

/// What to look for, and when.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct FindingQuery {
    /// `never-signed-in` (users who are switched on and never signed in), `idle` (users who are
    /// switched on and did not sign in for a time), `leavers` (who was switched off or deleted
    /// during a period, and when their memberships ended) or `empty-groups`.
    pub find: String,
    /// For `idle`: for so many days; 90 if absent.
    #[param(minimum = 1, maximum = 3650)]
    pub idle_days: Option<u32>,
    /// A moment, but for `leavers`: a date, an instant (RFC 3339), `position:N`, `run:ID` or an age
    /// such as `-2d`; now, if absent.
    #[serde(alias = "asOf")]
    pub as_of: Option<String>,
    /// For `leavers`: the beginning of the period; that of the log, if absent.
    pub from: Option<String>,
    /// For `leavers`: its end; now, if absent.
    pub to: Option<String>,
    /// `json` (if absent), `ndjson`, `csv` or `html`.
    pub format: Format,
}

/// One that was found.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct FindingRow {
    /// The user or group.
    pub id: Uuid,
    /// `User` or `Group`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `userName`, or a group's `displayName`, then.
    pub name: String,
    /// The first of the mail addresses, the primary one if there is one, then.
    pub mail: Option<String>,
    /// A user's `displayName` then.
    pub display_name: Option<String>,
    /// When it was created; not told of leavers.
    #[serde(serialize_with = "crate::time::optional")]
    pub created_at: Option<DateTime<Utc>>,
    /// When the user last signed in, a leaver before leaving; absent if never. Sessions end with
    /// their user.
    #[serde(serialize_with = "crate::time::optional")]
    pub signed_in_at: Option<DateTime<Utc>>,
    /// When the user was switched off or deleted.
    #[serde(serialize_with = "crate::time::optional")]
    pub left_at: Option<DateTime<Utc>>,
    /// Position of the event that says so.
    pub left_position: Option<u64>,
    /// The name of that event: `UserDeactivated` or `UserDeleted`.
    pub left_by: Option<String>,
    /// How many groups the leaver was in right before.
    pub groups: Option<u64>,
    /// How many of these groups still had them at the end of the period, though switched off.
    pub groups_left: Option<u64>,
    /// When the last membership ended: of a leaver, if none is left; of an empty group.
    #[serde(serialize_with = "crate::time::optional")]
    pub ended_at: Option<DateTime<Utc>>,
    /// Seconds from leaving until then; 0 if there was no membership.
    pub seconds_until_ended: Option<i64>,
}

/// What was found, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FindingsBody {
    /// What it is about.
    pub head: ReviewHead,
    /// The rows: in the order of creation, leavers in the order of leaving.
    pub rows: Vec<FindingRow>,
}
