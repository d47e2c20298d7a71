//! Who may ask: the operator about any organization, an auditor about their own.

use crate::admin::{Admin, OrganizationPath};
use crate::problem::Problem;
use crate::state::App;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use rollcall_domain::ids::OrganizationId;
use std::sync::Arc;

/// Somebody who may read everything about one organization, the one in the path. There is no way
/// to write with it: what writes asks for an [`Admin`].
pub struct Auditor {
    /// The organization.
    pub organization: OrganizationId,
}

impl FromRequestParts<Arc<App>> for Auditor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Admin::from_request_parts(parts, app).await?;
        let named = RawPathParams::from_request_parts(parts, app).await.map_err(|e| Problem::bad_request(e.body_text()))?;
        let organization = named.iter().find(|(name, _)| *name == "organization").map(|(_, value)| value.to_owned()).unwrap_or_default();
        // Requests whose token named no organization.
        if organization == "none" {
            return Ok(Self { organization: OrganizationId::NONE });
        }
        let organization = OrganizationPath { organization }.find(app).await?.id;
        Ok(Self { organization })
    }
}
