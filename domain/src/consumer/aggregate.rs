//! A consumer as cqrs-es runs it: what decides, and what an event does to the state.

use super::{Consumer, ConsumerCommand, ConsumerError, ConsumerEvent, decide};
use crate::context::Context;
use cqrs_es::event_sink::EventSink;

impl cqrs_es::Aggregate for Consumer {
    const TYPE: &'static str = "Consumer";
    type Command = ConsumerCommand;
    type Event = ConsumerEvent;
    type Error = ConsumerError;
    type Services = Context;

    async fn handle(
        &mut self,
        command: ConsumerCommand,
        context: &Context,
        sink: &EventSink<Self>,
    ) -> Result<(), ConsumerError> {
        for event in decide(self, command, context)?.events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: ConsumerEvent) {
        self.evolve(event);
    }
}
