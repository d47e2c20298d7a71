//! The deployment, folded from its events.

use super::{DeploymentCommand, DeploymentEvent, decide};
use crate::context::Context;
use crate::credential::{CredentialError, Credentials};
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

/// The state of the deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Who operates it, beside the holder of the data folder's key.
    pub credentials: Credentials,
}

impl cqrs_es::Aggregate for Deployment {
    const TYPE: &'static str = "Deployment";
    type Command = DeploymentCommand;
    type Event = DeploymentEvent;
    type Error = CredentialError;
    type Services = Context;

    async fn handle(&mut self, command: DeploymentCommand, context: &Context, sink: &EventSink<Self>) -> Result<(), CredentialError> {
        for event in decide(self, command, context)?.events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: DeploymentEvent) {
        self.credentials.evolve(event.into());
    }
}
