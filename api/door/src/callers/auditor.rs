//! Who may read everything about one organization, and change nothing.

use super::holder::{Holder, not_for};
use super::organization::{Named, named};
use crate::{App, Refusal};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::Purpose;
use rollcall_domain::ids::OrganizationId;
use std::sync::Arc;

/// An auditor or the admin of the organization in the path, or an operator. There is no way to
/// write with it.
pub struct Auditor {
    /// Who it is.
    pub actor: Actor,
    /// The organization.
    pub organization: OrganizationId,
}

impl<S: Send + Sync> FromRequestParts<S> for Auditor
where
    Arc<App>: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let (holder, found) = reading(parts, &Arc::from_ref(state)).await?;
        let organization = match found {
            Named::One(organization) => organization.id,
            Named::Nobody => OrganizationId::NONE,
        };
        Ok(Self { actor: holder.actor, organization })
    }
}

/// The holder of a key that opens the history of the organization in the path, and that one.
///
/// # Errors
/// If the key opens nothing of it.
pub(super) async fn reading(parts: &mut Parts, app: &App) -> Result<(Holder, Named), Refusal> {
    let holder = Holder::of(parts, app).await?;
    if !matches!(holder.purpose, Purpose::Operation | Purpose::Administration | Purpose::Audit) {
        return Err(not_for(&holder, "an operator's, an admin's or an auditor's key"));
    }
    let found = named(parts, app, &holder).await?;
    Ok((holder, found))
}
