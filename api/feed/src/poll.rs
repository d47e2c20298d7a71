//! Tokens for who asks for them (RFC 8936). They are read from the log like every event; a token
//! comes again until it and all before it were acknowledged.

use crate::feed::{LOOK, head, is_in_the_log};
use crate::limits::{USUAL, within};
use crate::reading::{self, Page, Reader};
use crate::room::Feed;
use crate::security;
use axum::Json;
use axum::extract::State;
use rollcall_contract::Problem;
use rollcall_contract::consumers::ConsumerPath;
use rollcall_contract::security::{PollAnswer, PollRequest};
use rollcall_domain::consumer::{Payload, Way};
use rollcall_domain::log::Position;
use rollcall_domain::outbound::{SecurityEvent, security_events};
use rollcall_door::callers::Follower;
use rollcall_door::{App, Given, Refusal};
use rollcall_projections::consumer_places::Moved;
use rollcall_projections::consumers::ConsumerRow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Tokens of one answer.
const MOST: usize = 100;
/// Tokens that can be settled at once.
const SETTLED: usize = 1_000;
/// How long who waits is kept waiting.
const WAIT: Duration = Duration::from_secs(25);

/// Everything up to a position is settled, and so many tokens of the next record.
type Place = (Position, u64);

/// Tokens in the order of the log, up to `maxEvents`. What is acknowledged, with all before it,
/// comes no more.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}/poll",
    tag = "feed",
    params(ConsumerPath),
    request_body = PollRequest,
    security(("operator" = []), ("admin" = []), ("consumer" = [])),
    responses(
        (status = 200, body = PollAnswer),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "The consumer is paused, or the key is none of a consumer"),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The consumer polls for no tokens, stands beyond the end of the log, or was moved by another process meanwhile"),
        (status = 503, body = Problem),
    ),
)]
pub async fn poll(
    follower: Follower,
    State(app): State<Arc<App>>,
    State(feed): State<Arc<Feed>>,
    Given(asked): Given<PollRequest>,
) -> Result<Json<PollAnswer>, Refusal> {
    let most = within("maxEvents", asked.max_events, USUAL, 0..=MOST)?;
    let row = follower.consumer(&app).await?;
    let Way::SetPoll { audience, start } = &row.way else {
        return Err(Refusal::conflict("this consumer does not poll for security event tokens"));
    };
    let settled = settled(&asked)?;
    let kept = app.places.of(row.organization, row.id).await?;
    let stood: Place = (kept.position.unwrap_or(*start), kept.part);
    is_in_the_log(stood.0, head(&app, &row).await?)?;
    let issuer = security::issuer(&app, row.organization, row.id);
    let issuer = issuer.map_err(|e| Refusal::unavailable(&e))?;
    let waits = most > 0 && !asked.return_immediately;
    let until = Instant::now() + if waits { WAIT } else { Duration::ZERO };
    let (mut place, mut saved, mut stopping) = (stood, stood, feed.stopping());
    let (waiting, more) = loop {
        let head = head(&app, &row).await?;
        is_in_the_log(place.0, head)?;
        let crowd = feed.chain.crowds.of(&app, &row, head).await?;
        let reader = Reader {
            organization: row.organization,
            types: &row.types,
            // What a notice names is known from what is told in full.
            payload: Payload::Full,
            crowd: crowd.as_deref(),
        };
        let page = reading::read(&*app.engine.log, reader, place.0, 0, head, 2 * MOST).await?;
        let next = page.next;
        let waiting;
        (place, waiting) =
            go_on(place, tokens(page, row.payload, &issuer, audience), next, &settled);
        // What was acknowledged is kept before anything else, and so is what was passed over when
        // there is an answer.
        let is_up = Instant::now() >= until || *stopping.borrow();
        let is_answer = !waiting.is_empty() || (next == head && is_up);
        if place != saved && (is_answer || saved == stood) {
            keep(&app, &row, saved, place).await?;
            saved = place;
        }
        if is_answer {
            break (waiting, next < head);
        }
        if next == head {
            tokio::select! {
                () = tokio::time::sleep_until((Instant::now() + LOOK.1).min(until)) => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
        }
    };
    // Who was let in when the waiting began may have been put out meanwhile.
    if waits {
        follower.still_follows(&app).await?;
    }
    let more_available = more || waiting.len() > most;
    let sets = signed(&app, &row, waiting.into_iter().take(most).collect()).await?;
    if sets.is_empty() && place == stood {
        follower.visit.gave_nothing();
    }
    let organization = row.organization.to_string();
    metrics::counter!("rollcall_feed_events_total", "organization" => organization)
        .increment(sets.len() as u64);
    Ok(Json(PollAnswer { sets, more_available }))
}

/// Names of tokens that are to come no more, also because their receiver cannot use them.
fn settled(asked: &PollRequest) -> Result<HashSet<Uuid>, Refusal> {
    if asked.ack.len() + asked.set_errs.len() > SETTLED {
        let said = format!("so many tokens were never given at once: settle at most {SETTLED}");
        return Err(Refusal::bad_request(said));
    }
    for (jti, error) in &asked.set_errs {
        let known = error.known();
        tracing::warn!(%jti, error = known, "a receiver cannot use a security event token");
    }
    Ok(asked.ack.iter().chain(asked.set_errs.keys()).copied().collect())
}

/// The tokens of a page, each with the place once it is settled.
fn tokens(
    page: Page,
    payload: Payload,
    issuer: &str,
    audience: &str,
) -> Vec<(Position, SecurityEvent)> {
    let of = |event| security_events(event, payload, issuer, audience);
    let events = page.events.iter();
    events.flat_map(|(_, event)| of(event).into_iter().map(|set| (event.position, set))).collect()
}

/// Passes over what is settled from a place on. Gives the place, and what waits behind it.
fn go_on(
    place: Place,
    tokens: Vec<(Position, SecurityEvent)>,
    next: Position,
    settled: &HashSet<Uuid>,
) -> (Place, Vec<SecurityEvent>) {
    let passed = usize::try_from(place.1).unwrap_or(usize::MAX);
    let skipped = tokens.iter().skip(passed).take_while(|(_, set)| settled.contains(&set.jti));
    let done = passed + skipped.count();
    let Some((position, _)) = tokens.get(done) else { return ((next, 0), Vec::new()) };
    // So many of the record that is under way are settled; everything before it is.
    let part = tokens[..done].iter().rev().take_while(|(at, _)| at == position).count();
    let before = tokens[..done - part].last().map_or(place.0, |(at, _)| *at);
    let waiting = tokens.into_iter().skip(done).map(|(_, set)| set).collect();
    ((before, part as u64), waiting)
}

async fn keep(app: &App, row: &ConsumerRow, from: Place, to: Place) -> Result<(), Refusal> {
    let now = app.engine.clock.now();
    let start = row.way.start();
    match app.places.acknowledge(row.organization, row.id, start, from, to, now).await? {
        Moved::Yes => Ok(()),
        Moved::Elsewhere(at) => Err(Refusal::conflict(format!(
            "another process of yours acknowledged tokens meanwhile, up to position {at}: ask again"
        ))),
    }
}

async fn signed(
    app: &App,
    row: &ConsumerRow,
    events: Vec<SecurityEvent>,
) -> Result<BTreeMap<Uuid, String>, Refusal> {
    if events.is_empty() {
        return Ok(BTreeMap::new());
    }
    let now = app.engine.clock.now();
    let key = security::signer(app, row, now).await.map_err(|e| Refusal::unavailable(&e))?;
    let sign =
        move || events.iter().map(|event| Ok((event.jti, security::sign(&key, event)?))).collect();
    let signed: Result<_, security::TokenError> =
        tokio::task::spawn_blocking(sign).await.map_err(|e| Refusal::unavailable(&e))?;
    signed.map_err(|e| Refusal::unavailable(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(n: u128) -> SecurityEvent {
        SecurityEvent { jti: Uuid::from_u128(n), claims: serde_json::Value::Null }
    }

    proptest! {
        /// However many are asked for and acknowledged at a time, each comes in order, none is
        /// passed over, and the end is reached.
        #[test]
        fn every_token_comes_until_it_is_acknowledged(
            records in proptest::collection::vec(1usize..4, 1..12),
            steps in proptest::collection::vec(1usize..5, 40),
        ) {
            let mut all = Vec::new();
            for (at, sets) in records.iter().enumerate() {
                // Every other record is for somebody else.
                let position = 2 * (at as u64 + 1);
                (0..*sets).for_each(|_| all.push((position, token(all.len() as u128))));
            }
            let next = 2 * records.len() as u64 + 1;
            let (mut place, mut settled, mut got) = ((0, 0), HashSet::new(), Vec::new());
            for step in steps {
                let after = |place: Place| -> Vec<_> {
                    all.iter().filter(|(at, _)| *at > place.0).cloned().collect()
                };
                let waiting;
                (place, waiting) = go_on(place, after(place), next, &settled);
                let given: Vec<_> = waiting.into_iter().take(step).map(|set| set.jti).collect();
                settled = given.iter().copied().collect();
                got.extend(given);
            }
            let wanted: Vec<_> = all.iter().map(|(_, set)| set.jti).collect();
            prop_assert_eq!(got, wanted);
            prop_assert_eq!(place, (next, 0));
        }
    }
}
