//! Failures.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which failures.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct FailureQuery {
    /// Also those that are cured.
    pub cured: bool,
    /// Only of this cause, such as `name-taken`.
    pub cause: Option<String>,
    /// Only about the resource with this id.
    pub subject: Option<Uuid>,
    /// Only those after the one with this `last_number`, for the next page.
    pub before: Option<u64>,
    /// At most so many; 100 if absent, 1000 at most.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// The next page: `next-cursor` of the page before, with its other parameters as they were.
    pub cursor: Option<String>,
}

/// A failure.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FailureBody {
    /// Names it: the first exchange that met it.
    pub id: Uuid,
    /// `open` or `cured`.
    pub state: String,
    /// Why, in a stable word.
    pub cause: String,
    /// What happened.
    pub explanation: String,
    /// What to do next.
    pub next_step: String,
    /// Where: `entra`, `mapping`, `here`, or `nowhere` if it heals by itself.
    pub next_step_in: String,
    /// What was asked for.
    pub operation: String,
    /// The resource it is about, if it is known here.
    pub subject: Option<Uuid>,
    /// The member that was not there.
    pub needs: Option<Uuid>,
    /// HTTP status.
    pub status: u16,
    /// SCIM error type.
    pub scim_type: Option<String>,
    /// SCIM error text, the last time.
    pub detail: Option<String>,
    /// How many exchanges met it.
    pub count: u64,
    /// When the first came.
    #[serde(serialize_with = "crate::time::serialize")]
    pub first_at: DateTime<Utc>,
    /// When the last came.
    #[serde(serialize_with = "crate::time::serialize")]
    pub last_at: DateTime<Utc>,
    /// Number of the last.
    pub last_number: u64,
    /// The last exchange that met it.
    pub last_exchange: Uuid,
    /// The exchange that cured it.
    pub cured_by: Option<Uuid>,
    /// When that came.
    #[serde(serialize_with = "crate::time::optional")]
    pub cured_at: Option<DateTime<Utc>>,
    /// True if somebody should have lost access by this: disabled, deleted, or taken out of a
    /// group.
    #[serde(default)]
    pub leaves_access: bool,
    /// That in words, while it is open.
    #[serde(default)]
    pub access: Option<String>,
}

/// The failure in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct FailurePath {
    /// Domain or id of the organization.
    pub organization: String,
    /// The first exchange that met it.
    pub failure: Uuid,
}
