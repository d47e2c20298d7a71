//! A group as cqrs-es runs it: what decides, and what an event does to the state.

use super::{Group, GroupCommand, GroupError, GroupEvent, decide};
use crate::context::Context;
use cqrs_es::event_sink::EventSink;

impl cqrs_es::Aggregate for Group {
    const TYPE: &'static str = "Group";
    type Command = GroupCommand;
    type Event = GroupEvent;
    type Error = GroupError;
    type Services = Context;

    async fn handle(
        &mut self,
        command: GroupCommand,
        context: &Context,
        sink: &EventSink<Self>,
    ) -> Result<(), GroupError> {
        for event in decide(self, command, context)?.events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: GroupEvent) {
        self.evolve(&event);
    }
}
