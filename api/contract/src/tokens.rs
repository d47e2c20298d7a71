//! SCIM tokens.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A new token.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewToken {
    /// What the operator calls it.
    pub label: String,
    /// From when on it is refused; never, if absent.
    #[serde(serialize_with = "crate::time::optional")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token, shown this once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenIssued {
    /// Names the token.
    pub token_id: Uuid,
    /// Goes into Entra's Tenant URL.
    pub tenant_url: String,
    /// Goes into Entra's Secret Token; not shown again.
    pub token: String,
    /// Whether single sign-on is set up: it should be, before people are provisioned.
    pub sso_ready: bool,
    /// From when on it is refused.
    #[serde(serialize_with = "crate::time::optional")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token as it can be seen later.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenBody {
    /// Names the token.
    pub token_id: Uuid,
    /// What the operator calls it.
    pub label: String,
    /// `live`, `expired` or `revoked`.
    pub state: String,
    /// When it was issued.
    #[serde(serialize_with = "crate::time::serialize")]
    pub issued_at: DateTime<Utc>,
    /// From when on it is refused.
    #[serde(serialize_with = "crate::time::optional")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    #[serde(serialize_with = "crate::time::optional")]
    pub revoked_at: Option<DateTime<Utc>>,
    /// When a request last came with it.
    #[serde(serialize_with = "crate::time::optional")]
    pub last_used_at: Option<DateTime<Utc>>,
}

/// The token in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TokenPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Names the token.
    pub token: Uuid,
}
