//! By which object id a user's person is known.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Who the person of a user is from now on.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// Their object id at the identity provider; if absent, that of the next login.
    #[serde(default)]
    pub object_id: Option<String>,
    /// Why, for whoever reads the log: 1 to 500 characters.
    pub reason: String,
}

/// The user in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PersonPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Id of the user.
    pub user: Uuid,
}
