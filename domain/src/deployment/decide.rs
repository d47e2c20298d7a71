//! What a command on the deployment comes to.

use super::{Deployment, DeploymentEvent};
use crate::context::Context;
use crate::credential::{CredentialCommand, CredentialError, CredentialEvent};
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
    let changes = deployment.credentials.decide(command, context.now)?;
    Ok(changes.into_iter().filter_map(told).collect::<Vec<_>>().into())
}

/// An operator's key is a bearer token: it is issued and revoked, and nothing else is asked of it.
fn told(change: CredentialEvent) -> Option<DeploymentEvent> {
    match change {
        CredentialEvent::Issued(issued) => Some(DeploymentEvent::OperatorKeyIssued(issued)),
        CredentialEvent::Revoked(revoked) => Some(DeploymentEvent::OperatorKeyRevoked(revoked)),
        CredentialEvent::FirstUsed(_)
        | CredentialEvent::SecretAdded(_)
        | CredentialEvent::SecretRetired(_)
        | CredentialEvent::ProofChanged(_)
        | CredentialEvent::Expiring(_)
        | CredentialEvent::Ended(_) => None,
    }
}
