//! Who may change one organization, and nothing else.

use super::command::carry_out_on;
use super::holder::{Holder, not_for};
use super::organization::{Named, named};
use crate::exchange::Visit;
use crate::{App, Refusal};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::credential::Purpose;
use rollcall_domain::log::{AggregateKind, StreamId};
use rollcall_domain::organization::{Organization, OrganizationCommand};
use rollcall_engine::{Done, ExecuteError, Hosted, Order, Visible};
use rollcall_projections::organizations::OrganizationRow;
use std::sync::Arc;

/// The admin of the organization in the path, or an operator.
pub struct Admin {
    /// Who it is.
    pub actor: Actor,
    /// The organization.
    pub organization: OrganizationRow,
    visit: Visit,
}

impl<S: Send + Sync> FromRequestParts<S> for Admin
where
    Arc<App>: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let app = Arc::<App>::from_ref(state);
        let holder = Holder::of(parts, &app).await?;
        if !matches!(holder.purpose, Purpose::Operation | Purpose::Administration) {
            return Err(not_for(&holder, "an operator's or an admin's key"));
        }
        match named(parts, &app, &holder).await? {
            Named::One(organization) => {
                Ok(Self { actor: holder.actor, organization: *organization, visit: holder.visit })
            }
            Named::Nobody => Err(Refusal::not_found(
                "these are requests that named no organization: there is nothing to change",
            )),
        }
    }
}

impl Admin {
    /// Changes the organization. The exchange, answered with this status, goes into the same
    /// append.
    ///
    /// # Errors
    /// If it is refused, or cannot be done now.
    pub async fn execute(
        &self,
        app: &App,
        command: OrganizationCommand,
        status: StatusCode,
    ) -> Result<Visible<Done>, Refusal> {
        Ok(self.on::<Organization>(app, self.organization.id.0, command, status).await?)
    }

    /// The same where there is nothing to tell: 204 No Content.
    ///
    /// # Errors
    /// If it is refused, or cannot be done now.
    pub async fn done(
        &self,
        app: &App,
        command: OrganizationCommand,
    ) -> Result<StatusCode, Refusal> {
        let status = StatusCode::NO_CONTENT;
        self.execute(app, command, status).await.map(|_| status)
    }

    /// Changes something of the organization.
    ///
    /// # Errors
    /// If it is refused, or cannot be done now.
    pub async fn on<A: Hosted>(
        &self,
        app: &App,
        id: uuid::Uuid,
        command: A::Command,
        status: StatusCode,
    ) -> Result<Visible<Done>, ExecuteError<A::Error>> {
        self.carry_out::<A>(app, id, false, command, status).await
    }

    /// Brings something of the organization into being, under an id that was drawn for it.
    ///
    /// # Errors
    /// If it is refused, or cannot be done now.
    pub async fn on_new<A: Hosted>(
        &self,
        app: &App,
        id: uuid::Uuid,
        command: A::Command,
        status: StatusCode,
    ) -> Result<Visible<Done>, ExecuteError<A::Error>> {
        self.carry_out::<A>(app, id, true, command, status).await
    }

    /// Changes something as one of several steps of a request, whose exchange is kept by itself when
    /// all of them are done.
    ///
    /// # Errors
    /// If it is refused, or cannot be done now.
    pub async fn step<A: Hosted>(
        &self,
        app: &App,
        id: uuid::Uuid,
        command: A::Command,
    ) -> Result<Visible<Done>, ExecuteError<A::Error>> {
        let stream = StreamId { organization: self.organization.id, kind: A::KIND, id };
        let (now, exchange) = (app.engine.clock.now(), self.visit.id());
        let context = Context::new(now, self.actor.clone(), Some(exchange));
        app.engine.execute(Order::<A>::unasked(stream, command, context)).await
    }

    async fn carry_out<A: Hosted>(
        &self,
        app: &App,
        id: uuid::Uuid,
        fresh: bool,
        command: A::Command,
        status: StatusCode,
    ) -> Result<Visible<Done>, ExecuteError<A::Error>> {
        const {
            assert!(
                !matches!(A::KIND, AggregateKind::Deployment),
                "an admin does not change the deployment"
            )
        };
        let stream = StreamId { organization: self.organization.id, kind: A::KIND, id };
        carry_out_on::<A>(app, &self.visit, &self.actor, stream, fresh, command, status).await
    }
}
