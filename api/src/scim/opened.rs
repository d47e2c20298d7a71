//! An exchange that is open: the facts of the request, until the answer closes it.

use super::facts::facts;
use super::redact;
use super::reply::Reply;
use axum::http::request::Parts;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::{Exchange, Protocol};
use rollcall_domain::failure::Wants;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::interpretation::Notes;
use std::net::SocketAddr;
use std::time::Instant;

/// So much is kept of each part of a stranger's request.
const STRANGER_BYTES: usize = 2 * 1024;

/// The facts of a request.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The exchange's id.
    pub id: ExchangeId,
    /// The bulk exchange it belongs to.
    pub parent: Option<ExchangeId>,
    /// The exchange that this one submits again.
    pub replays: Option<ExchangeId>,
    /// Names what a new resource is about.
    pub subject_key: Option<String>,
    /// What it wants.
    pub wants: Wants,
    /// When it began.
    pub received_at: DateTime<Utc>,
    /// For the duration.
    pub started: Instant,
    /// Method as received.
    pub method: String,
    /// Path and query, secrets removed.
    pub target: String,
    /// Headers, secrets removed.
    pub headers: Vec<(String, String)>,
    /// The peer.
    pub source: Option<String>,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Who called.
    pub caller: Actor,
    /// What is asked, such as `users.patch`.
    pub operation: &'static str,
    /// The body as received.
    pub body: Bytes,
}

impl Opened {
    /// Opens an exchange for a request whose body is not read yet.
    pub fn new(id: ExchangeId, received_at: DateTime<Utc>, parts: &Parts, peer: Option<SocketAddr>) -> Self {
        Self {
            id,
            parent: None,
            replays: None,
            subject_key: None,
            wants: Wants::default(),
            received_at,
            started: Instant::now(),
            method: parts.method.as_str().to_owned(),
            target: redact::target(parts.uri.path_and_query().map_or("/", |p| p.as_str())),
            headers: redact::headers(&parts.headers),
            source: peer.map(|p| p.ip().to_string()),
            organization: OrganizationId::NONE,
            caller: Actor::Unauthenticated,
            operation: "unknown",
            body: Bytes::new(),
        }
    }

    /// Opens an exchange again, as it came in then.
    pub fn again(recorded: &Exchange) -> Self {
        Self {
            id: recorded.id,
            parent: recorded.parent,
            replays: recorded.replays,
            subject_key: None,
            wants: Wants::default(),
            received_at: recorded.received_at,
            started: Instant::now(),
            method: recorded.method.clone(),
            target: recorded.target.clone(),
            headers: recorded.headers.clone(),
            source: recorded.source.clone(),
            organization: recorded.organization,
            caller: recorded.caller.clone(),
            operation: "unknown",
            body: Bytes::from(recorded.request_body.clone()),
        }
    }

    /// Opens the exchange of one operation of this bulk request.
    pub fn part(&self, id: ExchangeId, method: String, target: String, operation: &'static str, body: Vec<u8>) -> Self {
        Self {
            id,
            parent: Some(self.id),
            method,
            target: redact::target(&target),
            headers: Vec::new(),
            operation,
            body: Bytes::from(body),
            started: Instant::now(),
            subject_key: None,
            wants: Wants::default(),
            ..self.clone()
        }
    }

    /// Leaves of a stranger's request what tells who it may have been: whoever has no token must not
    /// be able to fill the disk.
    pub fn shorten(&mut self) {
        self.target = redact::cut(&self.target, STRANGER_BYTES).to_owned();
        self.body.truncate(STRANGER_BYTES);
        let mut left = STRANGER_BYTES;
        self.headers.retain_mut(|(name, value)| {
            let fits = left.saturating_sub(name.len());
            *value = redact::cut(value, fits).to_owned();
            left = fits.saturating_sub(value.len());
            left > 0
        });
    }

    /// The exchange with its answer, as the log keeps it.
    pub fn close(&self, reply: &Reply, notes: &Notes) -> Exchange {
        let (answer, answer_body) = reply.to_answer();
        let (request_body, redactions) = redact::body(&self.body);
        Exchange {
            id: self.id,
            organization: self.organization,
            parent: self.parent,
            replays: self.replays,
            received_at: self.received_at,
            protocol: Protocol::Scim,
            method: self.method.clone(),
            target: self.target.clone(),
            headers: self.headers.clone(),
            source: self.source.clone(),
            caller: self.caller.clone(),
            operation: self.operation.to_owned(),
            subject: reply.subject.map(|id| id.to_string()),
            subject_key: self.subject_key.clone(),
            facts: facts(self, reply),
            interpretations: notes.list().to_vec(),
            unknown_shape: reply.error.as_ref().is_some_and(|e| e.unknown_shape),
            answer,
            duration_us: u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            redactions,
            bodies_dropped: false,
            request_body,
            answer_body,
        }
    }
}
