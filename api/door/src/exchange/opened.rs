//! An exchange that is open: the facts of the request, until the answer closes it.

use super::redact;
use crate::strangers::{Source, parts};
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::{Answer, Exchange, Protocol};
use rollcall_domain::failure::{Facts, Wants};
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::interpretation::Interpretation;
use rollcall_engine::Engine;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

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
    /// The protocol.
    pub protocol: Protocol,
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
    /// What is kept in place of the body, where the door knows better what is secret in it.
    pub kept_body: Option<KeptBody>,
}

/// What is kept of a body.
#[derive(Clone, Debug)]
pub struct KeptBody {
    /// Without secrets.
    pub text: String,
    /// What was taken out.
    pub redactions: Vec<String>,
}

/// What a door knows of an exchange when it is answered.
#[derive(Clone, Debug)]
pub struct Closing {
    /// What we answered.
    pub answer: Answer,
    /// What is kept of the answer's body.
    pub answer_body: Vec<u8>,
    /// The resource it was about.
    pub subject: Option<String>,
    /// What it was about, as data.
    pub facts: Facts,
    /// Liberties taken to read it.
    pub interpretations: Vec<Interpretation>,
    /// Whether it had a shape the decoder does not know.
    pub unknown_shape: bool,
}

impl Closing {
    /// With an answer of which nothing else is to be said.
    pub fn with(answer: Answer, answer_body: Vec<u8>) -> Self {
        Self {
            answer,
            answer_body,
            subject: None,
            facts: Facts::default(),
            interpretations: Vec::new(),
            unknown_shape: false,
        }
    }
}

impl Opened {
    /// Opens an exchange for a request whose body is not read yet.
    pub fn new(
        engine: &Engine,
        protocol: Protocol,
        operation: &'static str,
        parts: &Parts,
    ) -> Self {
        Self {
            id: engine.ids.exchange(),
            parent: None,
            replays: None,
            subject_key: None,
            wants: Wants::default(),
            received_at: engine.clock.now(),
            started: Instant::now(),
            protocol,
            method: parts.method.as_str().to_owned(),
            target: redact::target(parts.uri.path_and_query().map_or("/", |p| p.as_str())),
            headers: redact::headers(&parts.headers),
            source: parts
                .extensions
                .get::<ConnectInfo<SocketAddr>>()
                .map(|peer| peer.0.ip().to_string()),
            organization: OrganizationId::NONE,
            caller: Actor::Unauthenticated,
            operation,
            body: Bytes::new(),
            kept_body: None,
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
            protocol: recorded.protocol,
            method: recorded.method.clone(),
            target: recorded.target.clone(),
            headers: recorded.headers.clone(),
            source: recorded.source.clone(),
            organization: recorded.organization,
            caller: recorded.caller.clone(),
            operation: "unknown",
            body: Bytes::from(recorded.request_body.clone()),
            kept_body: None,
        }
    }

    /// Opens the exchange of one operation of this bulk request.
    pub fn part(
        &self,
        id: ExchangeId,
        method: String,
        target: String,
        operation: &'static str,
        body: Vec<u8>,
    ) -> Self {
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

    /// The same, by a caller who is known now.
    pub fn by(&self, caller: Actor) -> Self {
        Self { caller, ..self.clone() }
    }

    /// Leaves of the request of somebody without a credential what tells who it may have been: also
    /// where it had a consequence, and so is in the log.
    pub fn shorten(&mut self) {
        parts::shorten_target(&mut self.target);
        parts::shorten_headers(&mut self.headers);
        self.body.truncate(parts::BYTES);
    }

    /// Where it comes from.
    pub fn from(&self) -> Source {
        let address = self.source.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
        address.map_or(Source::UNKNOWN, Source::from)
    }

    /// The exchange with its answer, as the log keeps it.
    pub fn close(&self, closing: Closing) -> Exchange {
        let Closing { answer, answer_body, subject, facts, interpretations, unknown_shape } =
            closing;
        let (request_body, redactions) = match &self.kept_body {
            Some(kept) => (kept.text.clone().into_bytes(), kept.redactions.clone()),
            None => redact::body(&self.body),
        };
        let mut exchange = Exchange {
            id: self.id,
            organization: self.organization,
            parent: self.parent,
            replays: self.replays,
            received_at: self.received_at,
            protocol: self.protocol,
            method: self.method.clone(),
            target: self.target.clone(),
            headers: self.headers.clone(),
            source: self.source.clone(),
            caller: self.caller.clone(),
            operation: self.operation.to_owned(),
            subject,
            subject_key: self.subject_key.clone(),
            facts,
            interpretations,
            unknown_shape,
            answer,
            duration_us: u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            redactions,
            bodies_dropped: false,
            body_hashes: None,
            particulars_hash: None,
            request_body,
            answer_body,
        };
        redact::repeated(&mut exchange);
        exchange
    }
}
