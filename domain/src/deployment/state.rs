//! The deployment, folded from its events.

use super::DeploymentEvent;
use crate::credential::Credentials;
use serde::{Deserialize, Serialize};

/// The state of the deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Who operates it, beside the holder of the data folder's key.
    pub credentials: Credentials,
}

impl Deployment {
    pub(super) fn evolve(&mut self, event: DeploymentEvent) {
        if let Some(event) = event.of_credential() {
            self.credentials.evolve(event);
        }
    }
}
