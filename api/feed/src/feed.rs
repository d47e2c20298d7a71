//! Events after a position.

use crate::limits::{ON_A_PAGE, USUAL, WAIT, within};
use crate::reading::{self, Page, ReadError, Reader};
use crate::room::Feed;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use rollcall_contract::Problem;
use rollcall_contract::consumers::ConsumerPath;
use rollcall_contract::feed::{EventSubject, FeedBody, FeedEvent, FeedQuery};
use rollcall_contract::ledger::SignedCheckpoint;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::Position;
use rollcall_domain::outbound::PublicEvent;
use rollcall_door::callers::Follower;
use rollcall_door::{App, Refusal};
use rollcall_evidence::signed::{self, NotSigned, PURPOSE};
use rollcall_projections::consumers::ConsumerRow;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long to wait before the log is looked at again: at first, and at most.
pub(crate) const LOOK: (Duration, Duration) =
    (Duration::from_millis(20), Duration::from_millis(250));

/// Events in the order of the log. Each names the position of the one before it that is for the
/// same consumer: whoever has that one has missed nothing.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}/feed",
    tag = "feed",
    params(ConsumerPath, FeedQuery),
    security(("operator" = []), ("admin" = []), ("consumer" = [])),
    responses(
        (status = 200, body = FeedBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "The consumer is paused, or the key is none of a consumer"),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The position is beyond the end of the log"),
        (status = 503, body = Problem),
    ),
)]
pub async fn read(
    follower: Follower,
    State(app): State<Arc<App>>,
    State(feed): State<Arc<Feed>>,
    query: Result<Query<FeedQuery>, QueryRejection>,
) -> Result<Json<FeedBody>, Refusal> {
    let Query(query) = query.map_err(|e| Refusal::bad_request(e.body_text()))?;
    let limit = within("limit", query.limit, USUAL, ON_A_PAGE)?;
    let wait = Duration::from_secs(within("wait", query.wait, 0, WAIT)?);
    let consumer = &follower.consumer(&app).await?;
    let after = match query.after {
        Some(after) => after,
        None => app.places.of(consumer.organization, consumer.id).await?.position.unwrap_or(0),
    };
    is_in_the_log(after, head(&app, consumer).await?)?;
    let previous = feed.chain.before(&app, consumer, after).await?;
    let (page, head) = waited_for(&app, &feed, consumer, after, previous, limit, wait).await?;
    // Who was let in when the waiting began may have been put out meanwhile.
    if !wait.is_zero() {
        follower.still_follows(&app).await?;
    }
    feed.chain.remember(consumer, page.next, page.last);
    if follower.is_itself() {
        feed.heard(&app, consumer, after).await;
    }
    if page.events.is_empty() {
        follower.visit.gave_nothing();
    }
    let organization = consumer.organization.to_string();
    metrics::counter!("rollcall_feed_events_total", "organization" => organization)
        .increment(page.events.len() as u64);
    let ledger = match page.events.is_empty() {
        true => None,
        false => Some(ledger(&app, consumer.organization).await?),
    };
    Ok(Json(FeedBody {
        next: page.next,
        previous,
        head,
        complete: page.next == head,
        epoch: app.engine.log.epoch().await?.to_string(),
        ledger,
        events: page.events.into_iter().map(|(previous, event)| body(previous, event)).collect(),
    }))
}

/// The ledger as it is now: it has everything that was read before.
async fn ledger(app: &App, organization: OrganizationId) -> Result<SignedCheckpoint, Refusal> {
    let seed = app.deployment_key.derived(PURPOSE);
    let signer = signed::signer(&app.public_url, &seed, organization);
    let signer = signer.map_err(|error| Refusal::unavailable(&error))?;
    match signed::sign(&*app.engine.log, &signer, organization).await {
        Ok(signed) => Ok(signed.carried()),
        Err(NotSigned::Log(error)) => Err(error.into()),
        Err(error) => Err(Refusal::unavailable(&error)),
    }
}

/// The end of the log, which every reader sees: who is told of a change finds it wherever else it
/// asks.
pub(crate) async fn head(app: &App, consumer: &ConsumerRow) -> Result<Position, Refusal> {
    let head = app.engine.log.head(consumer.organization).await?.position;
    app.engine.folder.fold_to(consumer.organization, head).await?;
    Ok(head)
}

/// A cursor from another log, or from this one before an older backup was restored, must not wait
/// until the log has grown past it.
///
/// # Errors
/// 409 if it is beyond the end.
pub fn is_in_the_log(position: Position, head: Position) -> Result<(), Refusal> {
    if position <= head {
        return Ok(());
    }
    Err(Refusal::conflict(format!(
        "position {position} is beyond the end of the log, which is {head}: the log is another one, or was restored from an older backup. Begin anew with a snapshot"
    )))
}

/// The first page that is not empty, or what there is when the time is up.
async fn waited_for(
    app: &App,
    feed: &Feed,
    consumer: &ConsumerRow,
    after: Position,
    previous: Position,
    limit: usize,
    wait: Duration,
) -> Result<(Page, Position), Refusal> {
    let (until, mut stopping) = (Instant::now() + wait, feed.stopping());
    let (mut page, mut pause) = (Page { next: after, last: previous, ..Page::default() }, LOOK.0);
    loop {
        let head = head(app, consumer).await?;
        is_in_the_log(page.next, head)?;
        let crowd = feed.chain.crowds.of(app, consumer, head).await?;
        let reader = Reader {
            organization: consumer.organization,
            types: &consumer.types,
            payload: consumer.payload,
            crowd: crowd.as_deref(),
        };
        page = reading::read(&*app.engine.log, reader, page.next, page.last, head, limit).await?;
        let is_up = Instant::now() >= until || *stopping.borrow();
        if !page.events.is_empty() || is_up {
            return Ok((page, head));
        }
        if page.next < head {
            continue;
        }
        let next_look = (Instant::now() + pause).min(until);
        pause = (pause * 2).min(LOOK.1);
        tokio::select! {
            () = tokio::time::sleep_until(next_look) => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        Self::unavailable(&error)
    }
}

fn body(previous: Position, event: PublicEvent) -> FeedEvent {
    FeedEvent {
        id: event.id,
        event_type: event.event_type.to_owned(),
        type_version: event.type_version,
        position: event.position,
        previous,
        part: event.part,
        parts: event.parts,
        time: event.time,
        subject: EventSubject { kind: event.subject.kind.to_owned(), id: event.subject.id },
        subject_version: event.subject_version,
        exchange: event.exchange.map(|exchange| exchange.0),
        data: event.data,
    }
}
