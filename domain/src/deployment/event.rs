//! What can have happened to the deployment. Published payloads are frozen: a change is a new
//! version.

use super::{ClockCorrected, LogAccepted};
use crate::credential::{CredentialEvent, CredentialIssued, CredentialRevoked};
use crate::event_macro::events;

events! {
    /// An event of the deployment.
    DeploymentEvent, DeploymentEventKind {
        /// An operator has a key.
        "OperatorKeyIssued" "1" OperatorKeyIssued(CredentialIssued),
        /// An operator's key is refused from now on.
        "OperatorKeyRevoked" "1" OperatorKeyRevoked(CredentialRevoked),
        /// The log counts as it is, although it was not the one that was known.
        "LogAccepted" "1" LogAccepted(LogAccepted),
        /// Time goes back to a clock that ran ahead for a while.
        "ClockCorrected" "1" ClockCorrected(ClockCorrected),
    }
}

impl DeploymentEvent {
    /// What it says of who is let in, if it is about that.
    pub fn of_credential(self) -> Option<CredentialEvent> {
        match self {
            DeploymentEvent::OperatorKeyIssued(event) => Some(CredentialEvent::Issued(event)),
            DeploymentEvent::OperatorKeyRevoked(event) => Some(CredentialEvent::Revoked(event)),
            DeploymentEvent::LogAccepted(_) | DeploymentEvent::ClockCorrected(_) => None,
        }
    }
}
