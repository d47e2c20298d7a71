//! What a command on the deployment comes to.

use super::{ClockCorrected, Deployment, DeploymentEvent, LogAccepted};
use crate::context::Context;
use crate::credential::{CredentialCommand, CredentialError, CredentialEvent};
use crate::decision::Decision;

/// A command on the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeploymentCommand {
    /// Let an operator in, or no more.
    Credential(CredentialCommand),
    /// Let the log count as it is.
    AcceptLog(LogAccepted),
    /// Go back to a clock that ran ahead for a while.
    CorrectClock(ClockCorrected),
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
    let command = match command {
        DeploymentCommand::Credential(command) => command,
        // Whether there is something to accept, whoever holds the log against what is known of it
        // has found out.
        DeploymentCommand::AcceptLog(accepted) => {
            return Ok(vec![DeploymentEvent::LogAccepted(accepted)].into());
        }
        DeploymentCommand::CorrectClock(corrected) => {
            return Ok(vec![DeploymentEvent::ClockCorrected(corrected)].into());
        }
    };
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
