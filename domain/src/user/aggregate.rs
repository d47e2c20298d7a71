//! A user as cqrs-es runs it: what decides, and what an event does to the state.

use super::{User, UserCommand, UserError, UserEvent, decide};
use crate::context::Context;
use cqrs_es::event_sink::EventSink;

impl cqrs_es::Aggregate for User {
    const TYPE: &'static str = "User";
    type Command = UserCommand;
    type Event = UserEvent;
    type Error = UserError;
    type Services = Context;

    async fn handle(
        &mut self,
        command: UserCommand,
        context: &Context,
        sink: &EventSink<Self>,
    ) -> Result<(), UserError> {
        for event in decide(self, command, context)?.events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: UserEvent) {
        self.evolve(&event);
    }
}
