//! Where a SCIM request comes in: the exchange is opened first and closed last, whatever happens.

use super::authenticate::{Caller, authenticate};
use super::call::{Call, Conditions};
use super::encoding::Encoding;
use super::facts;
use super::failure;
use super::path;
use super::perform::perform;
use super::query::Query;
use super::reply::Reply;
use super::room::{BODY_SHARE, Scim};
use super::route::{allowed, route};
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Response, Uri};
use bytes::Bytes;
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::{ACCESS_TOKEN_PREFIX, Purpose};
use rollcall_domain::exchange::Protocol;
use rollcall_domain::failure::{Cause, Wants};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::interpretation::Notes;
use rollcall_domain::scim::ScimError;
use rollcall_door::exchange::{
    Kept, Opened, found, guarded, keep, measure, room, span, to_the_end, turn_away,
};
use rollcall_door::stopping::is_cut_off;
use rollcall_door::strangers::{Guest, Place};
use rollcall_door::{App, RESOURCE_METADATA, SCIM_PREFIX};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, SemaphorePermit};
use tokio::time::Instant;
use tracing::Instrument as _;

/// How much of a body is read, and kept, of a caller who is not known.
const STRANGER_BODY_BYTES: usize = 16 * 1024;
/// How long a large request waits for others to be done.
const ROOM_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// A credential that was looked at longer ago is looked at again.
const AGAIN_AFTER: Duration = Duration::from_millis(250);
/// How long the body of a caller who is not known may take.
const STRANGER_BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether a request is for SCIM, doubled slashes included.
pub fn is_scim(uri: &Uri) -> bool {
    below_prefix(uri.path()).is_some()
}

/// Whether a request that is for nothing else comes with a token of ours: somebody pasted another
/// Tenant URL than ours. It is an exchange of its organization like every other, and a 404.
pub fn is_strayed(request: &Request) -> bool {
    let sent = request.headers().get(axum::http::header::AUTHORIZATION);
    let sent = sent.and_then(|v| v.to_str().ok()).and_then(|v| v.split_once(' '));
    sent.is_some_and(|(scheme, token)| {
        let prefixes = [Purpose::Scim.token_prefix(), ACCESS_TOKEN_PREFIX];
        scheme.eq_ignore_ascii_case("bearer")
            && prefixes.iter().any(|prefix| token.trim_start().starts_with(prefix))
    })
}

/// What stands for a path that is not below the SCIM base: no operation has it.
const ELSEWHERE: &str = "/../";

/// The path below the SCIM base, with the slashes that came in.
pub(super) fn below_prefix(path: &str) -> Option<&str> {
    let mut rest = path;
    for segment in SCIM_PREFIX.split('/').filter(|s| !s.is_empty()) {
        rest = rest.trim_start_matches('/').strip_prefix(segment)?;
    }
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Serves one request to its end, also when the client goes away in the middle.
pub async fn entry(scim: Arc<Scim>, request: Request) -> Response<Body> {
    to_the_end(serve(scim, request)).await
}

/// The room that a request takes while it is under way.
enum Room {
    Known { _permit: OwnedSemaphorePermit },
    Stranger { _guest: Guest },
}

/// Room for one more of this caller; what is answered where there is none is counted and not kept.
fn room_of(scim: &Scim, known: bool, opened: &Opened) -> Result<Room, Box<Reply>> {
    let app = &scim.app;
    let error = if known {
        match room(&app.in_flight) {
            Some(permit) => return Ok(Room::Known { _permit: permit }),
            None => ScimError::unavailable("too many requests at once; try again later"),
        }
    } else {
        match app.strangers.guests.enter(opened.from()) {
            Some(guest) => return Ok(Room::Stranger { _guest: guest }),
            None => {
                turn_away(opened.protocol);
                ScimError::too_many_requests("too many requests without a valid token")
            }
        }
    };
    Err(Box::new(Reply::failure(error, opened.id)))
}

/// What a client is told where nothing is served at all, and no exchange is kept.
pub fn refused(app: &App, detail: &str) -> Response<Body> {
    let id = app.engine.ids.exchange();
    Reply::failure(ScimError::unavailable(detail.to_owned()), id).into_response(id)
}

async fn serve(scim: Arc<Scim>, request: Request) -> Response<Body> {
    let app = &scim.app;
    let (parts, body) = request.into_parts();
    let mut opened = Opened::new(&app.engine, Protocol::Scim, "unknown", &parts);
    let mut notes = Notes::default();
    let damaged = || failure::damaged("a request handler panicked");
    let caller = guarded(authenticate(&scim, &parts.headers)).await;
    let caller = caller.unwrap_or_else(|| Err(damaged()));
    let is_known = is_let_in(&caller);
    let at = caller.as_ref().ok().filter(|_| is_known).map(|caller| caller.at);
    if let Some(place) = parts.extensions.get::<Place>().filter(|_| is_known) {
        place.known();
    }
    let _room = match room_of(&scim, is_known, &opened) {
        Ok(room) => room,
        Err(reply) => return reply.into_response(opened.id),
    };
    let span = span(&opened);
    let work = carry_out(&scim, &parts, body, caller, &mut opened, &mut notes);
    let outcome = guarded(work.instrument(span)).await;
    let outcome = outcome.unwrap_or_else(|| Err(damaged()));
    let mut reply = outcome.unwrap_or_else(|error| Reply::failure(error, opened.id));
    if reply.status == 405 {
        reply = reply.with("allow", allowed(below_prefix(parts.uri.path()).unwrap_or_default()));
    }
    if reply.status == 401 {
        let metadata = format!("{}{RESOURCE_METADATA}", app.public_url.trim_end_matches('/'));
        let challenge = format!("Bearer realm=\"rollcall\", resource_metadata=\"{metadata}\"");
        reply = reply.with("www-authenticate", challenge);
    }
    if opened.caller == Actor::Unauthenticated {
        reply.kept = kept_of_nobody(&scim, &mut opened);
    }
    if let Err(error) =
        keep(&app.engine, &app.strangers, reply.kept, || reply.close(&opened, &notes)).await
    {
        reply = Reply::failure(failure::unavailable("recording an exchange", &error), opened.id);
    }
    // What was only read, or refused, rests on what every reader saw before.
    reply.at = reply.at.max(at);
    measure(&opened, reply.status);
    count_liberties(&opened, &reply, &notes);
    reply.into_response(opened.id)
}

/// Whether a caller has shown a credential that is live.
fn is_let_in(caller: &Result<Caller, ScimError>) -> bool {
    caller.as_ref().is_ok_and(|caller| caller.actor != Actor::Unauthenticated)
}

/// How the request of somebody without a live token is kept. What was to be written with one that
/// was live once belongs to its organization, for it may be that somebody keeps access by it; as
/// long as it is not too much.
fn kept_of_nobody(scim: &Scim, opened: &mut Opened) -> Kept {
    let is_write = !matches!(opened.method.as_str(), "GET" | "HEAD");
    let is_known = opened.organization != OrganizationId::NONE;
    if is_known && is_write && scim.ended.admits(opened.organization) {
        opened.shorten();
        return Kept::Record;
    }
    (opened.organization, opened.wants) = (OrganizationId::NONE, Wants::default());
    Kept::Ring
}

async fn carry_out(
    scim: &Scim,
    parts: &Parts,
    body: Body,
    caller: Result<Caller, ScimError>,
    opened: &mut Opened,
    notes: &mut Notes,
) -> Result<Reply, ScimError> {
    let app = &scim.app;
    let path = below_prefix(parts.uri.path()).unwrap_or(ELSEWHERE);
    path::note(parts.uri.path(), path, notes);
    let operation = route(parts.method.as_str(), path);
    opened.operation = operation.as_ref().map_or("unknown", |o| o.name());
    let asked = Instant::now();
    let encoding = Encoding::of(&parts.headers);
    // Nobody knows how long a packed body is.
    let announced = body.size_hint().upper().filter(|_| matches!(encoding, Ok(Encoding::Identity)));
    let is_known = is_let_in(&caller);
    let room = if is_known { room_for(scim, announced).await } else { Ok(None) };
    let limit = usize::try_from(app.config.max_body_bytes).unwrap_or(usize::MAX);
    let body = match (is_known, &room, encoding) {
        (true, Ok(_), Ok(encoding)) => match read_body(body, limit, BODY_TIMEOUT).await {
            Ok(read) => encoding.decode(read, limit).await,
            Err(error) => Err(error),
        },
        (true, Ok(_), Err(error)) => Err(error),
        (true, Err(_), _) => Ok(Bytes::new()),
        (false, _, Ok(Encoding::Identity)) => read_stranger(scim, body).await,
        // What a stranger packed is not looked into, so that nobody can tell whether it may be
        // kept.
        (false, _, _) => Ok(Bytes::new()),
    };
    if let Ok(body) = &body {
        opened.body = body.clone();
    }
    // Whoever holds a body back must not go on after the credential was revoked.
    let caller = match caller? {
        _ if asked.elapsed() > AGAIN_AFTER => authenticate(scim, &parts.headers).await?,
        caller => caller,
    };
    opened.organization = caller.organization;
    opened.caller = caller.actor;
    found(opened);
    if let Some(refusal) = caller.refusal {
        if let Ok(operation) = &operation {
            // Whoever is refused is told so, whether or not it can be kept what was wanted.
            let _ = facts::gather(app, opened, operation).await;
        }
        return Err(refusal);
    }
    let _room = room?;
    body?;
    if let Ok(operation) = &operation {
        facts::gather(app, opened, operation).await?;
    }
    let query = Query::from_url(parts.uri.query().unwrap_or_default(), notes)?;
    let mut call = Call {
        app: app.clone(),
        limits: app.limits_of(&caller.policy),
        opened: Arc::new(opened.clone()),
        query,
        conditions: Conditions::from_headers(&parts.headers),
        notes: std::mem::take(notes),
        settled: None,
    };
    let outcome = perform(&mut call, operation?).await;
    *notes = call.notes;
    outcome
}

/// Waits until a large body fits beside the others that are being worked on; what it is read into
/// is many times as large.
async fn room_for(
    scim: &Scim,
    announced: Option<u64>,
) -> Result<Option<SemaphorePermit<'_>>, ScimError> {
    let longest = scim.app.config.max_body_bytes;
    // One that does not say how long it is may be as long as any.
    let shares = announced.unwrap_or(longest).min(longest) / BODY_SHARE;
    let Some(shares) = u32::try_from(shares).ok().filter(|n| *n > 0) else { return Ok(None) };
    match tokio::time::timeout(ROOM_TIMEOUT, scim.body_room.acquire_many(shares)).await {
        Ok(Ok(room)) => Ok(Some(room)),
        _ => {
            metrics::counter!("rollcall_overload_total").increment(1);
            Err(ScimError::unavailable("too many large requests at once; try again later"))
        }
    }
}

/// What a caller who is not known has to say, for the record: not much, not for long, and of a few
/// at a time, for each of them takes up room that callers with a token need.
async fn read_stranger(scim: &Scim, body: Body) -> Result<Bytes, ScimError> {
    match scim.stranger_bodies.try_acquire() {
        Ok(_room) => read_body(body, STRANGER_BODY_BYTES, STRANGER_BODY_TIMEOUT).await,
        Err(_) => Ok(Bytes::new()),
    }
}

async fn read_body(body: Body, limit: usize, patience: Duration) -> Result<Bytes, ScimError> {
    match tokio::time::timeout(patience, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_long(&error) => Err(ScimError::too_large(format!(
            "the body is longer than {limit} bytes: send fewer members or operations per request"
        ))),
        Ok(Err(error)) if is_cut_off(&error) => {
            Err(ScimError::unavailable("the server is stopping; try again later".to_owned()))
        }
        Ok(Err(_)) => {
            Err(ScimError::invalid_syntax("the body broke off".to_owned())
                .because(Cause::BodyCutOff))
        }
        Err(_) => {
            Err(ScimError::plain(408, "the body did not arrive in time").because(Cause::BodyCutOff))
        }
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if inner.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = inner.source();
    }
    false
}

/// What only SCIM has: how its requests had to be read.
fn count_liberties(opened: &Opened, reply: &Reply, notes: &Notes) {
    if reply.error.as_ref().is_some_and(|e| e.unknown_shape) {
        metrics::counter!("rollcall_unknown_shapes_total", "organization" => opened.organization.to_string()).increment(1);
    }
    for note in notes.list() {
        metrics::counter!("rollcall_interpretations_total", "reading" => note.reading.name())
            .increment(1);
    }
}
