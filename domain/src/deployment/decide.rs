//! What a command on the deployment comes to.

use super::{Deployment, DeploymentEvent};
use crate::context::Context;
use crate::credential::{Change, CredentialCommand, CredentialError};
use crate::decision::Decision;

/// A command on the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeploymentCommand {
    /// Let an operator in, or no more.
    Credential(CredentialCommand),
}

/// Decides a command. A command that changes nothing yields no event.
///
/// # Errors
/// If it is not to be.
pub fn decide(
    deployment: &Deployment,
    command: DeploymentCommand,
    context: &Context,
) -> Result<Decision<DeploymentEvent>, CredentialError> {
    let DeploymentCommand::Credential(command) = command;
    let change = deployment.credentials.decide(command, context.now)?;
    let event = change.map(|change| match change {
        Change::Issued(issued) => DeploymentEvent::OperatorKeyIssued(issued),
        Change::Revoked(revoked) => DeploymentEvent::OperatorKeyRevoked(revoked),
    });
    Ok(Vec::from_iter(event).into())
}
