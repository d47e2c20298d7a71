//! Auditors' keys.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A new key.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAuditor {
    /// Whom it is for.
    pub label: String,
    /// From when on it is refused; never, if absent.
    #[serde(default)]
    #[serde(serialize_with = "crate::time::optional")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key, shown this once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditorIssued {
    /// Names the key.
    pub auditor_id: Uuid,
    /// Opens the audit of this organization for reading; not shown again.
    pub key: String,
    /// From when on it is refused.
    #[serde(serialize_with = "crate::time::optional")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key as it can be seen later.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditorBody {
    /// Names the key.
    pub auditor_id: Uuid,
    /// Whom it is for.
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

/// The key in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AuditorPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Names the key.
    pub auditor: Uuid,
}
