//! Organizations, and their names in a path.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The organization in a path: its domain or its id.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct OrganizationPath {
    /// Domain or id of the organization.
    pub organization: String,
}

impl OrganizationPath {
    /// The organization with this domain or id.
    pub fn of(organization: impl Into<String>) -> Self {
        Self { organization: organization.into() }
    }
}

/// A new organization.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewOrganization {
    /// Its name for people.
    pub name: String,
    /// Its slug: lower-case letters, digits and hyphens.
    pub domain: String,
}

/// What Entra's form asks for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OrganizationCreated {
    /// Its id.
    pub organization_id: Uuid,
    /// Its slug.
    pub domain: String,
    /// Goes into Tenant URL.
    pub tenant_url: String,
}

/// An organization.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OrganizationBody {
    /// Its id.
    pub organization_id: Uuid,
    /// Its name for people.
    pub name: String,
    /// Its slug.
    pub domain: String,
    /// False while the operator has switched it off.
    pub enabled: bool,
    /// `never`, `enabled` or `disabled`.
    pub scim: String,
    /// When it was created.
    #[serde(serialize_with = "crate::time::serialize")]
    pub created_at: DateTime<Utc>,
    /// Goes into Entra's Tenant URL.
    pub tenant_url: String,
}
