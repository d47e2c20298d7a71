//! Bundles: exchanges and the state they need, in one file.

use crate::replay::ReplayRequest;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What goes into a bundle.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BundleRequest {
    /// Which exchanges; all, if nothing is said.
    pub choice: ReplayRequest,
    /// Whether names stand for others.
    pub pseudonymise: bool,
}

/// What the new organization is to be.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// Its slug: lower-case letters, digits and hyphens.
    pub domain: String,
}

/// What was made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BundleImported {
    /// The new organization.
    pub organization_id: Uuid,
    /// Its slug.
    pub domain: String,
    /// Records it began with.
    pub records: u64,
    /// Exchanges it began with.
    pub exchanges: u64,
}
