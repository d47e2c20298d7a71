//! Who may say what came of a review of access.

use super::auditor::reading;
use super::command::carry_out;
use super::organization::Named;
use crate::exchange::Visit;
use crate::{App, Refusal};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use rollcall_domain::actor::Actor;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::Position;
use rollcall_domain::organization::{AccessDecided, Organization, OrganizationCommand};
use std::sync::Arc;

/// An auditor or the admin of the organization in the path, or an operator. The one thing that can
/// be written with it is a decision, which changes nobody's access.
pub struct Reviewer {
    /// The organization.
    pub organization: OrganizationId,
    actor: Actor,
    visit: Visit,
}

impl<S: Send + Sync> FromRequestParts<S> for Reviewer
where
    Arc<App>: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let (holder, found) = reading(parts, &Arc::from_ref(state)).await?;
        match found {
            Named::One(found) => {
                Ok(Self { organization: found.id, actor: holder.actor, visit: holder.visit })
            }
            Named::Nobody => Err(Refusal::not_found(
                "these are requests that named no organization: there is nothing to review",
            )),
        }
    }
}

impl Reviewer {
    /// Keeps a decision; gives the position of its event.
    ///
    /// # Errors
    /// If it is refused, or cannot be kept now.
    pub async fn decide(&self, app: &App, decided: AccessDecided) -> Result<Position, Refusal> {
        let command = OrganizationCommand::DecideAccess(decided);
        let (visit, actor, status) = (&self.visit, &self.actor, StatusCode::CREATED);
        let id = self.organization;
        let done = carry_out::<Organization>(app, visit, actor, id, false, command, status).await?;
        Ok(done.what.appended.positions.map_or(0, |(first, _)| first))
    }
}
