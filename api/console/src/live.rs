//! Live requests: server-sent events read from the log, so that none is skipped, neither by a slow
//! reader nor over a break in the connection.
//!
//! The id of an event is the number of its exchange; a browser that comes back says the last one it
//! has (`Last-Event-ID`), and the stream goes on behind it. Whoever is so far behind that it would
//! take too long is told so with a `gap`, from and to, and a link. Streams end with the session.

use crate::Console;
use crate::signing::{Guard as _, Reader};
use crate::tell;
use crate::trouble::Trouble;
use crate::view::{Frame, shown};
use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::stream::{self, Stream};
use rollcall_domain::log::ExchangeNumber;
use rollcall_projections::exchanges::{ExchangeFilter, ExchangeRow, Start};
use serde_json::json;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// Streams of one session.
const OF_SESSION: usize = 8;
/// Streams of the process.
const OF_PROCESS: usize = 64;
/// How often the log is looked at.
const GLANCE: Duration = Duration::from_millis(500);
/// The session is looked at with each so many-th glance: every 15 seconds.
const LOOKS: u32 = 30;
/// How often a sign of life is sent.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// So many are read at once.
const BATCH: usize = 200;
/// Whoever is further behind is told of a gap.
const FAR_BEHIND: u64 = 20_000;

/// Who is watching, and whether they are to stop.
#[derive(Clone)]
pub struct Streams {
    open: Arc<Mutex<HashMap<Uuid, usize>>>,
    stop: Arc<watch::Sender<bool>>,
}

impl Default for Streams {
    fn default() -> Self {
        Self { open: Arc::default(), stop: Arc::new(watch::Sender::new(false)) }
    }
}

impl Streams {
    /// Ends all of them: the server stops, and browsers come back to the next one.
    pub fn stop(&self) {
        let _ = self.stop.send(true);
    }

    fn take(&self, session: Uuid) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.entry(session).or_default();
        if *own >= OF_SESSION || all >= OF_PROCESS {
            return None;
        }
        *own += 1;
        Some(Place { streams: self.clone(), session })
    }
}

/// One stream's place, given back when it is dropped.
struct Place {
    streams: Streams,
    session: Uuid,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.session) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.session);
            }
        }
    }
}

/// Their routes.
pub fn routes() -> Router<Console> {
    Router::new()
        .route("/o/{organization}/live", get(page))
        .route("/o/{organization}/live/stream", get(follow))
}

#[derive(Template)]
#[template(path = "live.html")]
struct Page {
    frame: Frame,
    slug: String,
    after: u64,
}

async fn page(reader: Reader) -> Result<Response, Trouble> {
    let head = reader.visitor.app.engine.log.head(reader.organization.id).await?;
    let page = Page {
        after: head.exchange_number,
        frame: reader.frame("Live requests", "requests"),
        slug: reader.slug(),
    };
    Ok(shown(&page))
}

async fn follow(State(console): State<Console>, request: Request) -> Result<Response, Trouble> {
    let (mut parts, _) = request.into_parts();
    let opened = crate::signing::opened(&console, &parts);
    let reader = Reader::from_request_parts(&mut parts, &console).await?;
    let Some(place) = console.streams.take(reader.visitor().session.id) else {
        return Err(Trouble::new(StatusCode::SERVICE_UNAVAILABLE, tell::STREAMS_TAKEN));
    };
    let head = reader.visitor.app.engine.log.head(reader.organization.id).await?;
    let after = last_seen(&parts.headers, parts.uri.query().unwrap_or_default());
    let after = after.unwrap_or(head.exchange_number);
    let follower =
        Follower { place, reader: reader.clone(), after, beats: 0, begun: false, over: false };
    let alive = KeepAlive::new().interval(HEARTBEAT).text("alive");
    let response = Sse::new(events(follower)).keep_alive(alive).into_response();
    Ok(crate::signing::watched(&console, opened, &reader, response).await)
}

/// Behind which exchange to go on: what the browser has, or what the page was made at.
fn last_seen(headers: &HeaderMap, query: &str) -> Option<ExchangeNumber> {
    let sent = headers.get("last-event-id").and_then(|v| v.to_str().ok());
    let sent = sent.and_then(|sent| sent.parse().ok());
    let asked = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "after");
    sent.or_else(|| asked.and_then(|(_, value)| value.parse().ok()))
}

struct Follower {
    place: Place,
    reader: Reader,
    after: ExchangeNumber,
    beats: u32,
    begun: bool,
    /// The session is over, and the browser knows.
    over: bool,
}

impl Follower {
    /// What there is to tell now; none when the stream is over.
    async fn next(&mut self) -> Option<Vec<Event>> {
        let mut stopping = self.place.streams.stop.subscribe();
        loop {
            if *stopping.borrow() {
                return None;
            }
            if !self.begun {
                self.begun = true;
                return Some(vec![Event::default().event("connected").data("{}")]);
            }
            if self.over {
                return None;
            }
            if self.beats.is_multiple_of(LOOKS) && !self.reader.visitor.is_still_signed_in().await {
                self.over = true;
                return Some(vec![Event::default().event("over").data("{}")]);
            }
            self.beats += 1;
            match self.read().await {
                Ok(events) if !events.is_empty() => return Some(events),
                Ok(_) => {}
                // The browser comes back with the last number it has.
                Err(_) => return None,
            }
            tokio::select! {
                () = tokio::time::sleep(GLANCE) => {}
                _ = stopping.changed() => return None,
            }
        }
    }

    async fn read(&mut self) -> Result<Vec<Event>, Trouble> {
        let (app, id) = (&self.reader.visitor.app, self.reader.organization.id);
        let head = app.engine.log.head(id).await?.exchange_number;
        if head <= self.after {
            return Ok(Vec::new());
        }
        let mut events = Vec::new();
        if head - self.after > FAR_BEHIND {
            let to = head - FAR_BEHIND;
            let gap = json!({ "from": self.after + 1, "to": to });
            events.push(Event::default().event("gap").id(to.to_string()).data(gap.to_string()));
            self.after = to;
        }
        let from = Start::After(self.after);
        let filter = ExchangeFilter { from, ..ExchangeFilter::default() };
        for row in app.exchanges.list(id, &filter, BATCH).await? {
            self.after = row.number;
            let data = told(&self.reader.slug(), &row).to_string();
            events.push(Event::default().event("request").id(row.number.to_string()).data(data));
        }
        Ok(events)
    }
}

/// A request, for the script that writes it into the table: texts, never markup.
fn told(slug: &str, row: &ExchangeRow) -> serde_json::Value {
    json!({
        "number": row.number,
        "href": format!("/o/{slug}/requests/{}", row.id),
        "at": rollcall_contract::time::text(row.received_at),
        "operation": row.operation,
        "asked": format!("{} {}", row.method, row.target),
        "status": row.status,
        "failed": row.failed,
        "readings": row.interpretations.iter().map(|i| json!(i.reading)).collect::<Vec<_>>(),
        "millis": row.duration_us as f64 / 1_000.0,
    })
}

fn events(follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> {
    let batches = stream::unfold(follower, |mut follower| async move {
        let events = follower.next().await?;
        Some((stream::iter(events.into_iter().map(Ok)), follower))
    });
    futures::StreamExt::flatten(batches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_eight_streams_and_the_process_sixty_four() {
        let streams = Streams::default();
        let session = Uuid::from_u128(1);
        let own: Vec<_> = (0..OF_SESSION).map(|_| streams.take(session).unwrap()).collect();
        assert!(streams.take(session).is_none());
        let others: Vec<_> =
            (2..).map(|n| streams.take(Uuid::from_u128(n))).take_while(Option::is_some).collect();
        assert_eq!(own.len() + others.len(), OF_PROCESS);
        drop(own);
        assert!(streams.take(session).is_some());
    }

    #[test]
    fn the_last_that_was_seen_counts_more_than_the_page() {
        let mut headers = HeaderMap::new();
        assert_eq!(last_seen(&headers, "after=7"), Some(7));
        assert_eq!(last_seen(&headers, ""), None);
        headers.insert("last-event-id", "9".parse().unwrap());
        assert_eq!(last_seen(&headers, "after=7"), Some(9));
    }
}
