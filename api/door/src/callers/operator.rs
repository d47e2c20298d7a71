//! Who may change everything.

use super::command::{carry_out, deployment};
use super::holder::{Holder, not_for};
use super::organization::find;
use crate::exchange::Visit;
use crate::{App, Refusal};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::{CredentialCommand, Purpose};
use rollcall_domain::deployment::{ClockCorrected, Deployment, DeploymentCommand, LogAccepted};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::organization::{Organization, OrganizationCommand};
use rollcall_engine::{Done, Visible};
use rollcall_projections::organizations::OrganizationRow;
use std::sync::Arc;

/// The holder of the operator key, or of an operator's key of their own.
pub struct Operator {
    /// Who it is.
    pub actor: Actor,
    visit: Visit,
}

impl<S: Send + Sync> FromRequestParts<S> for Operator
where
    Arc<App>: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let holder = Holder::of(parts, &Arc::from_ref(state)).await?;
        match holder.purpose {
            Purpose::Operation => Ok(Self { actor: holder.actor, visit: holder.visit }),
            _ => Err(not_for(&holder, "an operator's key")),
        }
    }
}

impl Operator {
    /// Says in whose log the exchange is kept.
    pub fn concerns(&self, organization: OrganizationId) {
        self.visit.organization(organization);
    }

    /// Finds the organization that the request is about: by its slug or its id.
    ///
    /// # Errors
    /// If there is none, or the views cannot be read.
    pub async fn organization(&self, app: &App, name: &str) -> Result<OrganizationRow, Refusal> {
        let found = find(app, name).await?;
        self.visit.organization(found.id);
        self.visit.rests_on(found.position.unwrap_or_default());
        Ok(found)
    }

    /// Brings an organization into being. The exchange, answered with this status, goes into the
    /// same append.
    ///
    /// # Errors
    /// If it is refused, or cannot be done now.
    pub async fn create(
        &self,
        app: &App,
        id: OrganizationId,
        command: OrganizationCommand,
        status: StatusCode,
    ) -> Result<Visible<Done>, Refusal> {
        Ok(carry_out::<Organization>(app, &self.visit, &self.actor, id, true, command, status)
            .await?)
    }

    /// Changes an organization. The exchange, answered with this status, goes into the same append.
    ///
    /// # Errors
    /// If it is refused, or cannot be done now.
    pub async fn execute(
        &self,
        app: &App,
        id: OrganizationId,
        command: OrganizationCommand,
        status: StatusCode,
    ) -> Result<Visible<Done>, Refusal> {
        Ok(carry_out::<Organization>(app, &self.visit, &self.actor, id, false, command, status)
            .await?)
    }

    /// Says that the log counts as it is.
    ///
    /// # Errors
    /// If it cannot be done now.
    pub async fn accept_log(
        &self,
        app: &App,
        accepted: LogAccepted,
        status: StatusCode,
    ) -> Result<Visible<Done>, Refusal> {
        let command = DeploymentCommand::AcceptLog(accepted);
        let (visit, actor) = (&self.visit, &self.actor);
        let none = deployment();
        Ok(carry_out::<Deployment>(app, visit, actor, none, false, command, status).await?)
    }

    /// Says that time goes back to a clock that ran ahead.
    ///
    /// # Errors
    /// If it cannot be done now.
    pub async fn correct_clock(
        &self,
        app: &App,
        corrected: ClockCorrected,
        status: StatusCode,
    ) -> Result<Visible<Done>, Refusal> {
        let command = DeploymentCommand::CorrectClock(corrected);
        let (visit, actor) = (&self.visit, &self.actor);
        let none = deployment();
        Ok(carry_out::<Deployment>(app, visit, actor, none, false, command, status).await?)
    }

    /// Changes who operates the deployment.
    ///
    /// # Errors
    /// If it is refused, or cannot be done now.
    pub async fn change_operators(
        &self,
        app: &App,
        command: CredentialCommand,
        status: StatusCode,
    ) -> Result<Visible<Done>, Refusal> {
        let command = DeploymentCommand::Credential(command);
        Ok(carry_out::<Deployment>(
            app,
            &self.visit,
            &self.actor,
            deployment(),
            false,
            command,
            status,
        )
        .await?)
    }
}
