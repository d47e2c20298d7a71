//! Deliveries to one consumer, one after another, read from the log by position: there is no second
//! queue. Whoever delivers holds a lease, and each write that moves the place is checked against
//! it; so a crash between an answer and that write is a repetition, and never a loss.

use super::envelope::{self, MEDIA_TYPE};
use super::post::{Letter, NotPosted, Post, Posted};
use super::schedule::{Next, after_failure, retry_after};
use super::signing::signature;
use crate::chain::Chain;
use crate::reading::{self, ReadError, Reader};
use crate::security::{self, TokenError};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::{Nothing, RouteError};
use rollcall_contract::route;
use rollcall_domain::actor::Actor;
use rollcall_domain::consumer::{
    Consumer, ConsumerCommand, ConsumerError, ConsumerState, Payload, Stopped, Way,
};
use rollcall_domain::context::Context;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, LogError, Position, StreamId};
use rollcall_domain::outbound::{PublicEvent, security_events};
use rollcall_domain::sql::SqlError;
use rollcall_door::App;
use rollcall_door::sealing::SealError;
use rollcall_engine::{ExecuteError, Order};
use rollcall_projections::consumer_places::{Holder, PlaceRow};
use rollcall_projections::consumers::ConsumerRow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long a lease holds if it is not renewed; longer than an answer may take.
const LEASE: TimeDelta = TimeDelta::seconds(25);
/// How long to wait at most before the lease is renewed and the consumer is looked at again.
const SLICE: Duration = Duration::from_secs(5);
/// Events read at once.
const BATCH: usize = 50;

/// What a delivery needs.
#[derive(Clone)]
pub struct Postman {
    /// The application.
    pub app: Arc<App>,
    /// Finds the link to the event before.
    pub chain: Arc<Chain>,
    /// The way out.
    pub post: Arc<dyn Post>,
}

/// Why deliveries to a consumer broke off. They begin again.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// What is kept of consumers, or a view, cannot be read or written.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An event cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The secret cannot be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The consumer could not be stopped.
    #[error(transparent)]
    Stop(#[from] ExecuteError<ConsumerError>),
    /// There is no token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The body cannot be written.
    #[error("an event cannot be written: {:?}", .0.classify())]
    Body(#[from] serde_json::Error),
    /// The organization has no address.
    #[error(transparent)]
    Address(#[from] RouteError),
    /// The link to the event before cannot be found.
    #[error("{0}")]
    Chain(String),
}

/// What came of trying one delivery.
enum Tried {
    Delivered,
    Later(DateTime<Utc>),
    Ended,
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
            let place = self.app.places.of(row.organization, row.id).await?;
            let head = *heads.borrow_and_update();
            if head <= stands(&row, &place) {
                // Nothing is held while nothing is to be done.
                let _ = tokio::time::timeout(SLICE, heads.changed()).await;
                continue;
            }
            // Where the store is this process's own, whoever held the lease is gone.
            let by = if self.app.shared { Holder::Nobody } else { Holder::Alone };
            let leased = self.app.places.lease(row.organization, row.id, self.now(), LEASE, by);
            let Some(place) = leased.await? else {
                tokio::time::sleep(Duration::from_millis(500)).await;
                continue;
            };
            let lease = place.lease;
            let done = self.burst(&row, place, head).await;
            self.app.places.release(row.organization, row.id, lease).await?;
            done?;
        }
    }

    /// Delivers what stands in the log, under a lease.
    async fn burst(
        &self,
        row: &ConsumerRow,
        place: PlaceRow,
        head: Position,
    ) -> Result<(), DeliveryError> {
        let (mut position, mut part) = (stands(row, &place), place.part);
        let mut due = place.next_attempt;
        // What a notice names is known from what is told in full.
        let payload = if row.way.audience().is_some() { Payload::Full } else { row.payload };
        let reader = Reader { organization: row.organization, types: &row.types, payload };
        while position < head {
            let log = &*self.app.engine.log;
            let before = self.chain.before(&self.app, row, position).await;
            let before = before.map_err(|refused| DeliveryError::Chain(refused.0.detail))?;
            let page = reading::read(log, reader, position, before, head, BATCH).await?;
            let settled = usize::try_from(part).unwrap_or(usize::MAX);
            for (previous, event) in page.events.iter().skip(settled) {
                loop {
                    if !self.wait(row, place.lease, due).await? {
                        return Ok(());
                    }
                    match self.attempt(row, place.lease, position, *previous, event).await? {
                        Tried::Delivered => break,
                        Tried::Later(at) => due = Some(at),
                        Tried::Ended => return Ok(()),
                    }
                }
                due = None;
                if event.part == event.parts {
                    position = event.position;
                }
            }
            part = 0;
            // What is not for this consumer is passed over.
            let (to, now) = ((page.next, 0), self.now());
            let places = &self.app.places;
            if page.next > position
                && !places.delivered(row.organization, row.id, place.lease, to, now).await?
            {
                return Ok(());
            }
            position = page.next;
            self.chain.remember(row, page.next, page.last);
        }
        Ok(())
    }

    /// Waits until it is time, renewing the lease. False if the consumer is active no more, or the
    /// lease another's.
    async fn wait(
        &self,
        row: &ConsumerRow,
        lease: u64,
        due: Option<DateTime<Utc>>,
    ) -> Result<bool, DeliveryError> {
        loop {
            let now = self.now();
            let by = Holder::Of(lease);
            let mine = self.app.places.lease(row.organization, row.id, now, LEASE, by).await?;
            if mine.is_none() || self.active(row).await?.is_none() {
                return Ok(false);
            }
            let left = due.map_or(TimeDelta::zero(), |due| due - now);
            match left.to_std() {
                Ok(left) if !left.is_zero() => tokio::time::sleep(left.min(SLICE)).await,
                _ => return Ok(true),
            }
            // Who resumed it wants it tried now.
            let place = self.app.places.of(row.organization, row.id).await?;
            if place.next_attempt.is_none() {
                return Ok(true);
            }
        }
    }

    async fn attempt(
        &self,
        row: &ConsumerRow,
        lease: u64,
        position: Position,
        previous: Position,
        event: &PublicEvent,
    ) -> Result<Tried, DeliveryError> {
        let answer = self.tell(row, previous, event).await?;
        let (now, places) = (self.now(), &self.app.places);
        let to = match event.part == event.parts {
            true => (event.position, 0),
            false => (position, event.part as u64),
        };
        let outcome = match &answer {
            Ok(Posted { status: 200..=299, .. }) => "delivered",
            Ok(Posted { status: 410, .. }) => "gone",
            Ok(_) | Err(_) => "failed",
        };
        let organization = row.organization.to_string();
        metrics::counter!("rollcall_deliveries_total", "organization" => organization, "outcome" => outcome)
            .increment(1);
        let asked = match &answer {
            Ok(Posted { status: 200..=299, .. }) => {
                let mine = places.delivered(row.organization, row.id, lease, to, now).await?;
                return Ok(if mine { Tried::Delivered } else { Tried::Ended });
            }
            Ok(Posted { status: 410, .. }) => {
                self.stop(row, Stopped::Gone).await?;
                return Ok(Tried::Ended);
            }
            Ok(posted) if matches!(posted.status, 429 | 503) => {
                posted.retry_after.as_deref().and_then(|value| retry_after(value, now))
            }
            Ok(_) | Err(_) => None,
        };
        let place = places.of(row.organization, row.id).await?;
        let since = place.failing_since.unwrap_or(now);
        let spread = u64::from(event.id.as_fields().0).wrapping_add(place.attempts);
        match after_failure(now, since, place.attempts, asked, spread) {
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

    /// Posts an event in the form that is for this consumer. Where it is several tokens, the first
    /// that is not taken is the answer; those before it come again with it.
    async fn tell(
        &self,
        row: &ConsumerRow,
        previous: Position,
        event: &PublicEvent,
    ) -> Result<Result<Posted, NotPosted>, DeliveryError> {
        let Way::SetPush { url, audience, .. } = &row.way else {
            let base = self.app.public_url.trim_end_matches('/');
            let schemas = format!("{base}{}", route::EVENT_SCHEMAS);
            let source = source(&self.app, row.organization)?;
            let body = envelope::body(&source, &schemas, previous, event)?;
            return self.send(row, &event.id.to_string(), body).await;
        };
        let key = security::signer(&self.app, row, self.now()).await?;
        let issuer = security::issuer(&self.app, row.organization, row.id)?;
        let mut answer = Err(NotPosted::Address);
        for token in security_events(event, row.payload, &issuer, audience) {
            answer = self.post.post(token_letter(url, security::sign(&key, &token)?)).await;
            if !matches!(answer, Ok(Posted { status: 200..=299, .. })) {
                break;
            }
        }
        Ok(answer)
    }

    /// Posts a signed body to a webhook.
    ///
    /// # Errors
    /// If its secrets cannot be read; that nobody answered is an answer.
    async fn send(
        &self,
        row: &ConsumerRow,
        id: &str,
        body: Vec<u8>,
    ) -> Result<Result<Posted, NotPosted>, DeliveryError> {
        let Way::Webhook { url, .. } = &row.way else { return Ok(Err(NotPosted::Address)) };
        let now = self.now();
        let rows = self.app.consumers.secrets(row.organization, row.id).await?;
        let mut secrets = Vec::new();
        for secret in rows.iter().filter(|s| s.until.is_none_or(|until| now < until)) {
            let about = super::about(row.id, secret.number);
            secrets.push(self.app.deployment_key.open(&secret.sealed, &about)?);
        }
        Ok(self.post.post(letter(url, &secrets, id, now, body)).await)
    }

    /// The consumer as it is now; none if it gets nothing.
    async fn active(&self, row: &ConsumerRow) -> Result<Option<ConsumerRow>, SqlError> {
        let found = self.app.consumers.find(row.organization, &row.id.to_string()).await?;
        Ok(found.filter(|row| row.state == ConsumerState::Active))
    }

    async fn stop(&self, row: &ConsumerRow, reason: Stopped) -> Result<(), DeliveryError> {
        let order = Order::<Consumer>::unasked(
            StreamId {
                organization: row.organization,
                kind: AggregateKind::Consumer,
                id: row.id.0,
            },
            ConsumerCommand::Stop(reason),
            Context::new(self.now(), Actor::System, None),
        );
        self.app.engine.execute(order).await?;
        let reason = reason.as_str();
        tracing::error!(organization = %row.organization, consumer = %row.id, reason, "deliveries to a consumer stopped: rollcall consumer resume");
        Ok(())
    }

    fn now(&self) -> DateTime<Utc> {
        self.app.engine.clock.now()
    }
}

/// Where an organization is shown: what its events come from.
///
/// # Errors
/// If it has no address, which no id can bring about.
pub fn source(app: &App, organization: OrganizationId) -> Result<String, RouteError> {
    let path = OrganizationPath::of(organization.to_string());
    let line = route::SHOW_ORGANIZATION.line(&path, &Nothing)?;
    Ok(format!("{}{}", app.public_url.trim_end_matches('/'), line.target))
}

/// A body with the headers of Standard Webhooks.
pub fn letter(
    url: &str,
    secrets: &[Vec<u8>],
    id: &str,
    now: DateTime<Utc>,
    body: Vec<u8>,
) -> Letter {
    let seconds = now.timestamp();
    let headers = vec![
        ("content-type", MEDIA_TYPE.to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature(secrets, id, seconds, &body)),
    ];
    Letter { url: url.to_owned(), headers, body }
}

/// A token as RFC 8935 section 2.1 has it posted.
pub fn token_letter(url: &str, token: String) -> Letter {
    let headers = vec![
        ("content-type", security::MEDIA_TYPE.to_owned()),
        ("accept", "application/json".to_owned()),
    ];
    Letter { url: url.to_owned(), headers, body: token.into_bytes() }
}

/// Everything up to here is settled.
fn stands(row: &ConsumerRow, place: &PlaceRow) -> Position {
    place.position.unwrap_or(row.way.start())
}
