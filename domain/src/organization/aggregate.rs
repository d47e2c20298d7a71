//! An organization as cqrs-es runs it: what decides, and what an event does to the state.

use super::{Organization, OrganizationCommand, OrganizationError, OrganizationEvent, decide};
use crate::context::Context;
use cqrs_es::event_sink::EventSink;
use std::sync::Arc;

impl cqrs_es::Aggregate for Organization {
    const TYPE: &'static str = "Organization";
    type Command = OrganizationCommand;
    type Event = OrganizationEvent;
    type Error = OrganizationError;
    type Services = Arc<Context>;

    async fn handle(
        &mut self,
        command: OrganizationCommand,
        context: &Arc<Context>,
        sink: &EventSink<Self>,
    ) -> Result<(), OrganizationError> {
        for event in decide(self, command, context)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: OrganizationEvent) {
        self.evolve(event);
    }
}
