//! Access reviews as evidence: who was in which group, since when, until when, and by what.

use crate::format::Format;
use crate::ledger::SignedCheckpoint;
use crate::moment::Moment;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Whose access, and when.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct AccessQuery {
    /// Only this group, by its id, its name or its external id; all groups, if absent.
    pub group: Option<String>,
    /// Only this person, by id, `userName`, mail or external id.
    pub user: Option<String>,
    /// A moment: a date, an instant (RFC 3339), `position:N`, `run:ID` or an age such as `-2d`; now,
    /// if neither this nor a period is given.
    #[serde(alias = "asOf")]
    pub as_of: Option<String>,
    /// The beginning of a period, as a moment: everybody who was in a group at any time of it.
    pub from: Option<String>,
    /// The end of the period; now, if absent.
    pub to: Option<String>,
    /// `json` (if absent), `ndjson`, `csv` or `html`.
    pub format: Format,
}

/// What a review is about, and where it comes from.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReviewHead {
    /// The organization.
    pub organization_id: Uuid,
    /// Its slug.
    pub organization: String,
    /// Its name for people.
    pub name: String,
    /// What was asked for, in words.
    pub about: String,
    /// The beginning of the period; the moment, if it is one.
    pub from: Moment,
    /// The end of the period; the moment, if it is one.
    pub to: Moment,
    /// Who asked for it.
    pub made_by: Value,
    /// When it was made.
    #[serde(serialize_with = "crate::time::serialize")]
    pub made_at: DateTime<Utc>,
    /// By which version of Rollcall.
    pub version: String,
    /// The ledger of the organization, which had all of this when it was made.
    pub ledger: SignedCheckpoint,
}

/// One time that somebody was in a group.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AccessRow {
    /// The group.
    pub group_id: Uuid,
    /// Its name then.
    pub group: String,
    /// The member.
    pub member_id: Uuid,
    /// `User` or `Group`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `userName` then.
    pub user_name: Option<String>,
    /// The first of the mail addresses, the primary one if there is one, then.
    pub mail: Option<String>,
    /// `displayName` then.
    pub display_name: Option<String>,
    /// `displayName` as it is now; absent if the member is gone.
    pub display_name_now: Option<String>,
    /// Whether a user was switched on then.
    pub active: Option<bool>,
    /// When it joined.
    #[serde(serialize_with = "crate::time::serialize")]
    pub since: DateTime<Utc>,
    /// Position of the event by which it joined.
    pub since_position: u64,
    /// The exchange that asked for it; absent if nobody outside did.
    pub since_exchange: Option<Uuid>,
    /// The run of that exchange.
    pub since_run: Option<Uuid>,
    /// What that run was, such as `incremental` or `on-demand`.
    pub since_run_kind: Option<String>,
    /// Who asked for it: the kind of caller, and which one.
    pub since_actor: String,
    /// When it left, if it had by the end.
    #[serde(serialize_with = "crate::time::optional")]
    pub until: Option<DateTime<Utc>>,
    /// Position of the event by which it left.
    pub until_position: Option<u64>,
    /// The name of that event: `GroupMembersRemoved`, or a deletion.
    pub until_event: Option<String>,
    /// The exchange that asked for it.
    pub until_exchange: Option<Uuid>,
    /// The run of that exchange.
    pub until_run: Option<Uuid>,
    /// Who asked for it.
    pub until_actor: Option<String>,
}

/// A review as JSON.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReviewBody {
    /// What it is about.
    pub head: ReviewHead,
    /// The rows: group by group in the order in which they were created, in each in the order of
    /// joining.
    pub rows: Vec<AccessRow>,
}
