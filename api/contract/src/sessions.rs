//! Sessions: those of an organization, and the one that somebody holds.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which sessions, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct SessionQuery {
    /// Only those of this user.
    pub user: Option<Uuid>,
    /// Only those that let somebody in now.
    pub live: bool,
    /// Only those that began before this position.
    pub before: Option<u64>,
    /// At most so many; 100 if absent, 1000 at most.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// The next page: `next-cursor` of the page before, with its other parameters as they were.
    pub cursor: Option<String>,
}

/// A session.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionSummary {
    /// Names it.
    pub session_id: Uuid,
    /// Position at which it began.
    pub position: u64,
    /// The user.
    pub user_id: Uuid,
    /// `live`, `expired` or `ended`.
    pub state: String,
    /// When it began.
    #[serde(serialize_with = "crate::time::serialize")]
    pub began_at: DateTime<Utc>,
    /// When it is over at the latest.
    #[serde(serialize_with = "crate::time::serialize")]
    pub expires_at: DateTime<Utc>,
    /// The exchange of the login.
    pub login: Option<Uuid>,
    /// When it ended before its time.
    #[serde(serialize_with = "crate::time::optional")]
    pub ended_at: Option<DateTime<Utc>>,
    /// `signed-out`, `signed-out-at-identity-provider`, `operator`, `deactivated` or `deleted`.
    pub end_reason: Option<String>,
    /// The exchange that ended it.
    pub ended_by: Option<Uuid>,
    /// Milliseconds from the SCIM request that ended it to the first check that was refused.
    pub refused_after_ms: Option<u64>,
}

/// Whose sessions are to end.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EndSessions {
    /// Those of this user only; those of everybody in the organization, if absent.
    pub user: Option<Uuid>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EndedBody {
    /// So many sessions ended.
    pub ended: u64,
}

/// The session in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SessionPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Names the session.
    pub session: Uuid,
}

/// The holder of a session.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionBody {
    /// Names the session.
    pub session_id: Uuid,
    /// The organization.
    pub organization_id: Uuid,
    /// The organization's slug.
    pub organization: String,
    /// The user: the `id` of the SCIM resource.
    pub user_id: Uuid,
    /// `userName`, as it is now.
    pub user_name: String,
    /// `displayName`, as it is now.
    pub display_name: Option<String>,
    /// `externalId`, as it is now.
    pub external_id: Option<String>,
    /// When the session began.
    #[serde(serialize_with = "crate::time::serialize")]
    pub began_at: DateTime<Utc>,
    /// When it is over at the latest.
    #[serde(serialize_with = "crate::time::serialize")]
    pub expires_at: DateTime<Utc>,
}
