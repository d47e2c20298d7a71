//! Names that more than one user has.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Users whose names are one: an older version told them apart by what nobody sees.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CollisionBody {
    /// The name, as it is compared.
    pub name: String,
    /// The users, in the order in which they came.
    pub users: Vec<ClaimantBody>,
}

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClaimantBody {
    /// The user.
    pub user_id: Uuid,
    /// `userName` as it was sent.
    pub user_name: String,
    /// When the user came to be.
    #[serde(serialize_with = "crate::time::serialize")]
    pub created_at: DateTime<Utc>,
    /// Whether this one holds the name: no other user can be given it.
    pub holds_name: bool,
}
