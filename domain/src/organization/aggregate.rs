//! An organization as cqrs-es runs it: what decides, and what an event does to the state.

use super::{Organization, OrganizationCommand, OrganizationError, OrganizationEvent, decide};
use crate::context::Context;
use cqrs_es::event_sink::EventSink;

impl cqrs_es::Aggregate for Organization {
    const TYPE: &'static str = "Organization";
    type Command = OrganizationCommand;
    type Event = OrganizationEvent;
    type Error = OrganizationError;
    type Services = Context;

    async fn handle(
        &mut self,
        command: OrganizationCommand,
        context: &Context,
        sink: &EventSink<Self>,
    ) -> Result<(), OrganizationError> {
        for event in decide(self, command, context)?.events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: OrganizationEvent) {
        self.evolve(event);
    }
}
