//! The deployment as cqrs-es runs it: what decides, and what an event does to the state.

use super::{Deployment, DeploymentCommand, DeploymentEvent, decide};
use crate::context::Context;
use crate::credential::CredentialError;
use cqrs_es::event_sink::EventSink;

impl cqrs_es::Aggregate for Deployment {
    const TYPE: &'static str = "Deployment";
    type Command = DeploymentCommand;
    type Event = DeploymentEvent;
    type Error = CredentialError;
    type Services = Context;

    async fn handle(
        &mut self,
        command: DeploymentCommand,
        context: &Context,
        sink: &EventSink<Self>,
    ) -> Result<(), CredentialError> {
        for event in decide(self, command, context)?.events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: DeploymentEvent) {
        self.evolve(event);
    }
}
