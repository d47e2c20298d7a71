//! Deliveries to one consumer, one after another, read from the log by position: there is no second
//! queue. Whoever delivers holds a lease, and each write that moves the place is checked against
//! it; so a crash between an answer and that write is a repetition, and never a loss.

use super::outcome::Outcome;
use super::parking::{spread, subject};
use super::postman::{BATCH, DeliveryError, LEASE, Postman, SLICE};
use super::schedule::{Next, after_failure};
use crate::reading::{self, Page, Reader};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::consumer::{Payload, Stopped};
use rollcall_domain::log::Position;
use rollcall_domain::outbound::PublicEvent;
use rollcall_projections::consumer_places::{Holder, Parking, PlaceRow};
use rollcall_projections::consumers::ConsumerRow;
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::watch;

/// What came of trying one delivery.
pub(super) enum Tried {
    Delivered,
    Later(DateTime<Utc>),
    /// It failed so often that others are not to wait for it: how often, and at last why.
    Enough(u64, String),
    Ended,
}

/// A stretch of deliveries under one lease.
struct Stretch<'a> {
    row: &'a ConsumerRow,
    lease: u64,
    /// Of what something is set aside.
    blocked: HashSet<String>,
    /// What was told up to here is told again.
    again: Position,
}

impl Postman {
    /// Delivers to a consumer until it is paused, stopped or removed. `heads` tells the end of its
    /// organization's log.
    ///
    /// # Errors
    /// If it breaks off; what was delivered is kept.
    pub async fn serve(
        &self,
        row: ConsumerRow,
        mut heads: watch::Receiver<Position>,
    ) -> Result<(), DeliveryError> {
        loop {
            let Some(row) = self.active(&row).await? else { return Ok(()) };
            let places = &self.app.places;
            let place = places.of(row.organization, row.id).await?;
            let head = *heads.borrow_and_update();
            if head <= stands(&row, &place)
                && places.parked_due(row.organization, row.id, self.now()).await?.is_none()
            {
                // Nothing is held while nothing is to be done.
                let _ = tokio::time::timeout(SLICE, heads.changed()).await;
                continue;
            }
            // Where the store is this process's own, whoever held the lease is gone.
            let by = if self.app.shared { Holder::Nobody } else { Holder::Alone };
            let leased = places.lease(row.organization, row.id, self.now(), LEASE, by);
            let Some(place) = leased.await? else {
                tokio::time::sleep(Duration::from_millis(500)).await;
                continue;
            };
            let lease = place.lease;
            let done = self.burst(&row, place, head).await;
            places.release(row.organization, row.id, lease).await?;
            done?;
        }
    }

    /// Delivers what stands in the log and what was set aside and is due, under a lease.
    async fn burst(
        &self,
        row: &ConsumerRow,
        place: PlaceRow,
        head: Position,
    ) -> Result<(), DeliveryError> {
        let places = &self.app.places;
        if !self.tend(row, place.lease).await? {
            return Ok(());
        }
        let blocked = places.parked_subjects(row.organization, row.id).await?;
        let again = places.told_again_up_to(row.organization, row.id).await?;
        let mut stretch = Stretch { row, lease: place.lease, blocked, again };
        let (mut position, mut part) = (stands(row, &place), place.part);
        let mut due = place.next_attempt;
        // What a notice names is known from what is told in full.
        let payload = if row.way.audience().is_some() { Payload::Full } else { row.payload };
        let crowd = self.crowd(row, head).await?;
        let crowd = crowd.as_deref();
        let reader = Reader { organization: row.organization, types: &row.types, payload, crowd };
        while position < head {
            let log = &*self.app.engine.log;
            let before = self.chain.before(&self.app, row, position).await;
            let before = before.map_err(|refused| DeliveryError::Chain(refused.0.detail))?;
            let page = reading::read(log, reader, position, before, head, BATCH).await?;
            let settled = match row.payload {
                // One message for all of them; it settles the page.
                Payload::Poke => {
                    if !self.poked(&mut stretch, &page, head, due.take()).await? {
                        return Ok(());
                    }
                    page.events.len()
                }
                Payload::Full | Payload::Notice => usize::try_from(part).unwrap_or(usize::MAX),
            };
            for (previous, event) in page.events.iter().skip(settled) {
                if !self.one(&mut stretch, position, *previous, event, due.take()).await? {
                    return Ok(());
                }
                if event.part == event.parts {
                    position = event.position;
                }
            }
            part = 0;
            // What is not for this consumer is passed over.
            if page.next > position
                && !places
                    .passed_over(row.organization, row.id, place.lease, (page.next, 0))
                    .await?
            {
                return Ok(());
            }
            position = page.next;
            self.chain.remember(row, page.next, page.last);
        }
        Ok(())
    }

    /// Says that there is what a page holds. False if the stretch has ended.
    async fn poked(
        &self,
        stretch: &mut Stretch<'_>,
        page: &Page,
        head: Position,
        mut due: Option<DateTime<Utc>>,
    ) -> Result<bool, DeliveryError> {
        let Some((_, last)) = page.events.last() else { return Ok(true) };
        loop {
            if !self.wait(stretch, due).await? {
                return Ok(false);
            }
            let (row, lease) = (stretch.row, stretch.lease);
            match self.poke(row, lease, last.position, page.next, head).await? {
                Tried::Delivered => return Ok(true),
                Tried::Later(at) => due = Some(at),
                Tried::Enough(..) | Tried::Ended => return Ok(false),
            }
        }
    }

    /// Delivers one event, or sets it aside. False if the stretch has ended.
    async fn one(
        &self,
        stretch: &mut Stretch<'_>,
        position: Position,
        previous: Position,
        event: &PublicEvent,
        mut due: Option<DateTime<Utc>>,
    ) -> Result<bool, DeliveryError> {
        let to = match event.part == event.parts {
            true => (event.position, 0),
            false => (position, event.part as u64),
        };
        let subject = subject(event);
        loop {
            if !self.wait(stretch, due).await? {
                return Ok(false);
            }
            let (row, lease) = (stretch.row, stretch.lease);
            let tried = if stretch.blocked.contains(&subject) {
                None
            } else {
                let again = event.position <= stretch.again;
                match self.attempt(row, lease, to, (previous, event), again).await? {
                    Tried::Delivered => return Ok(true),
                    Tried::Ended => return Ok(false),
                    Tried::Later(at) => {
                        due = Some(at);
                        continue;
                    }
                    Tried::Enough(attempts, why) => Some((attempts, why)),
                }
            };
            match self.park(row, lease, to, (previous, event), tried).await? {
                Parking::Yes => {
                    stretch.blocked.insert(subject);
                    return Ok(true);
                }
                Parking::NotMine => return Ok(false),
                // Nothing is passed over: the lane stands still until there is room.
                Parking::Full => match self.failed(row, lease, None, spread(event)).await? {
                    Tried::Later(at) => due = Some(at),
                    Tried::Delivered | Tried::Enough(..) | Tried::Ended => return Ok(false),
                },
            }
        }
    }

    /// Waits until it is time, renewing the lease, and makes what was set aside and becomes due
    /// meanwhile. False if the consumer is active no more, or the lease another's.
    async fn wait(
        &self,
        stretch: &mut Stretch<'_>,
        due: Option<DateTime<Utc>>,
    ) -> Result<bool, DeliveryError> {
        let (row, lease, places) = (stretch.row, stretch.lease, &self.app.places);
        loop {
            if stretch.blocked.is_empty() {
                if !self.holds(row, lease).await? {
                    return Ok(false);
                }
            } else {
                if !self.tend(row, lease).await? {
                    return Ok(false);
                }
                stretch.blocked = places.parked_subjects(row.organization, row.id).await?;
            }
            let left = due.map_or(TimeDelta::zero(), |due| due - self.now());
            match left.to_std() {
                Ok(left) if !left.is_zero() => tokio::time::sleep(left.min(SLICE)).await,
                _ => return Ok(true),
            }
            // Who resumed it wants it tried now.
            if places.of(row.organization, row.id).await?.next_attempt.is_none() {
                return Ok(true);
            }
        }
    }

    async fn attempt(
        &self,
        row: &ConsumerRow,
        lease: u64,
        to: (Position, u64),
        (previous, event): (Position, &PublicEvent),
        again: bool,
    ) -> Result<Tried, DeliveryError> {
        let outcome = self.tell(row, previous, event, again).await?;
        let (now, places) = (self.now(), &self.app.places);
        let (why, asked) = match outcome {
            Outcome::Taken => {
                let mine = places.delivered(row.organization, row.id, lease, to, now).await?;
                return Ok(if mine { Tried::Delivered } else { Tried::Ended });
            }
            Outcome::Gone => {
                self.stop(row, Stopped::Gone).await?;
                return Ok(Tried::Ended);
            }
            Outcome::Failed(why, asked) => (why, asked),
        };
        let attempts = places.of(row.organization, row.id).await?.attempts + 1;
        match self.failed(row, lease, asked, spread(event)).await? {
            Tried::Later(_) if attempts >= u64::from(self.app.config.park_after) => {
                Ok(Tried::Enough(attempts, why))
            }
            tried => Ok(tried),
        }
    }

    /// Keeps that an attempt failed, and says when the next is, or gives the consumer up.
    pub(super) async fn failed(
        &self,
        row: &ConsumerRow,
        lease: u64,
        asked: Option<TimeDelta>,
        spread: u64,
    ) -> Result<Tried, DeliveryError> {
        let (now, places) = (self.now(), &self.app.places);
        let place = places.of(row.organization, row.id).await?;
        let since = place.failing_since.unwrap_or(now);
        match after_failure(now, since, place.attempts, asked, spread.wrapping_add(place.attempts))
        {
            Next::Never(reason) => {
                self.stop(row, reason).await?;
                Ok(Tried::Ended)
            }
            Next::At(then) => {
                let mine = places.failed(row.organization, row.id, lease, now, then).await?;
                tracing::warn!(organization = %row.organization, consumer = %row.id, %then, "a delivery failed");
                Ok(if mine { Tried::Later(then) } else { Tried::Ended })
            }
        }
    }
}

/// Everything up to here is settled.
fn stands(row: &ConsumerRow, place: &PlaceRow) -> Position {
    place.position.unwrap_or(row.way.start())
}
