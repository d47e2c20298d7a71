//! What can have happened to the deployment. Published payloads are frozen: a change is a new
//! version.

use crate::credential::{CredentialEvent, CredentialIssued, CredentialRevoked};
use crate::event_macro::events;

events! {
    /// An event of the deployment.
    DeploymentEvent, DeploymentEventKind {
        /// An operator has a key.
        "OperatorKeyIssued" "1" OperatorKeyIssued(CredentialIssued),
        /// An operator's key is refused from now on.
        "OperatorKeyRevoked" "1" OperatorKeyRevoked(CredentialRevoked),
    }
}

impl From<DeploymentEvent> for CredentialEvent {
    fn from(event: DeploymentEvent) -> Self {
        match event {
            DeploymentEvent::OperatorKeyIssued(event) => Self::Issued(event),
            DeploymentEvent::OperatorKeyRevoked(event) => Self::Revoked(event),
        }
    }
}
