//! Users and groups as they were.

use crate::moment::Moment;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Which users or groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ResourceQuery {
    /// A date, an instant (RFC 3339), `position:N`, `run:ID` or an age such as `-2d`; now, if
    /// absent.
    #[serde(alias = "asOf")]
    pub as_of: Option<String>,
    /// Only those with this `userName` or, for groups, `displayName`; upper and lower case are the
    /// same.
    pub name: Option<String>,
    /// Only those with this in their `userName`, `displayName`, a mail address or their external
    /// id; upper and lower case are the same.
    pub search: Option<String>,
    /// Only those created after this position.
    pub after: u64,
    /// At most so many; 100 if absent, 1000 at most.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// The next page: `next-cursor` of the page before, with its other parameters as they were.
    pub cursor: Option<String>,
}

/// Users or groups at a moment, in the order in which they were created.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ResourcesBody {
    /// The moment.
    pub as_of: Moment,
    /// SCIM resources, without a user's groups and a group's members.
    pub resources: Vec<Value>,
    /// The `cursor` of the next page, as in the header `next-cursor`; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One user or group at a moment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ResourceBody {
    /// The moment.
    pub as_of: Moment,
    /// The SCIM resource: a user with its groups, a group without its members.
    pub resource: Value,
}

/// The resource in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ResourcePath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Id of the user or group; or its `userName`, a mail address or its external id; a group's
    /// `displayName`.
    pub id: String,
}
