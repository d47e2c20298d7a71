//! Deliveries that failed for long are set aside, so that what is about others goes on. What is later
//! and about the same is set aside behind them, so that nobody is told a later event of somebody
//! before an earlier one. They are tried again by the rest of the schedule, when the receiver takes
//! something again, and when somebody says so.

use super::outcome::Outcome;
use super::postman::{DeliveryError, Postman};
use super::schedule::after_parking;
use crate::reading::{self, Reader};
use rollcall_domain::consumer::{Payload, Stopped};
use rollcall_domain::log::Position;
use rollcall_domain::outbound::PublicEvent;
use rollcall_projections::consumer_places::{ParkedRow, Parking};
use rollcall_projections::consumers::ConsumerRow;

/// What stands there now tells nothing: its record was lost.
const NOTHING_TO_TELL: &str = "nothing-to-tell";

/// What a delivery is about, as it is kept.
pub(super) fn subject(event: &PublicEvent) -> String {
    format!("{}/{}", event.subject.kind, event.subject.id)
}

impl Postman {
    /// Sets a delivery aside; `tried` says how often it was, and what came of it.
    pub(super) async fn park(
        &self,
        row: &ConsumerRow,
        lease: u64,
        to: (Position, u64),
        (previous, event): (Position, &PublicEvent),
        tried: Option<(u64, String)>,
    ) -> Result<Parking, DeliveryError> {
        let now = self.now();
        let attempts = tried.as_ref().map_or(0, |(attempts, _)| *attempts);
        let parked = ParkedRow {
            organization: row.organization,
            consumer: row.id,
            position: event.position,
            part: event.part as u64,
            subject: subject(event),
            event_type: event.event_type.to_owned(),
            event: event.id.to_string(),
            previous,
            parked: now,
            attempts,
            tried: tried.is_some().then_some(now),
            outcome: tried.map(|(_, outcome)| outcome),
            next_attempt: (attempts > 0).then(|| after_parking(now, attempts, spread(event))),
        };
        let parking = self.app.places.park(lease, to, parked).await?;
        if parking == Parking::Yes && attempts > 0 {
            tracing::warn!(organization = %row.organization, consumer = %row.id, position = event.position, "a delivery is set aside: rollcall consumer parked list");
        }
        Ok(parking)
    }

    /// Makes those deliveries that were set aside and are due. False if the consumer is active no
    /// more, or the lease another's.
    pub(super) async fn tend(&self, row: &ConsumerRow, lease: u64) -> Result<bool, DeliveryError> {
        loop {
            if !self.holds(row, lease).await? {
                return Ok(false);
            }
            let places = &self.app.places;
            let due = places.parked_due(row.organization, row.id, self.now()).await?;
            let Some(parked) = due else { return Ok(true) };
            if !self.again(row, lease, parked).await? {
                return Ok(false);
            }
        }
    }

    /// Tries one again.
    async fn again(
        &self,
        row: &ConsumerRow,
        lease: u64,
        mut parked: ParkedRow,
    ) -> Result<bool, DeliveryError> {
        let outcome = match self.event(row, &parked).await? {
            Some(event) => self.tell(row, parked.previous, &event, true).await?,
            None => Outcome::Failed(NOTHING_TO_TELL.to_owned(), None),
        };
        let (now, places) = (self.now(), &self.app.places);
        match outcome {
            Outcome::Taken => Ok(places.parked_delivered(&parked, lease, now).await?),
            Outcome::Gone => {
                self.stop(row, Stopped::Gone).await?;
                Ok(false)
            }
            Outcome::Failed(why, asked) => {
                parked.attempts += 1;
                (parked.tried, parked.outcome) = (Some(now), Some(why));
                let then = after_parking(now, parked.attempts, parked.position ^ parked.attempts);
                let then = asked.map_or(then, |asked| then.max(now + asked));
                parked.next_attempt = Some(then);
                Ok(places.parked_failed(parked, lease).await?)
            }
        }
    }

    /// The event of a delivery that was set aside, as the log has it.
    async fn event(
        &self,
        row: &ConsumerRow,
        parked: &ParkedRow,
    ) -> Result<Option<PublicEvent>, DeliveryError> {
        let payload = if row.way.audience().is_some() { Payload::Full } else { row.payload };
        let crowd = self.crowd(row, parked.position).await?;
        let crowd = crowd.as_deref();
        let reader = Reader { organization: row.organization, types: &row.types, payload, crowd };
        let (after, position) = (parked.position - 1, parked.position);
        let log = &*self.app.engine.log;
        let page = reading::read(log, reader, after, parked.previous, position, 1).await?;
        let events = page.events.into_iter().map(|(_, event)| event);
        Ok(events.into_iter().find(|event| event.part as u64 == parked.part))
    }
}

/// Any number, the same for the same event.
pub(super) fn spread(event: &PublicEvent) -> u64 {
    u64::from(event.id.as_fields().0)
}
