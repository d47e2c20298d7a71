//! An exchange that is open: the facts of a browser's visit, until the answer closes it.

use super::reply::Reply;
use crate::scim::redact;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::{Answer, Exchange, Protocol};
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use std::net::SocketAddr;
use std::time::Instant;

/// The facts of a visit.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The exchange's id.
    pub id: ExchangeId,
    /// When it began.
    pub received_at: DateTime<Utc>,
    started: Instant,
    method: String,
    target: String,
    kept_headers: Vec<(String, String)>,
    /// The peer.
    pub source: Option<String>,
    /// Headers as received: never kept.
    pub headers: HeaderMap,
    /// The query as received, undecoded.
    pub query: String,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What is asked, such as `saml.acs`.
    pub operation: &'static str,
    /// What is kept of the body.
    pub kept_body: String,
    /// What was taken out of it.
    pub redactions: Vec<String>,
}

impl Visit {
    /// Opens an exchange.
    pub fn new(id: ExchangeId, received_at: DateTime<Utc>, operation: &'static str, parts: &Parts, peer: Option<SocketAddr>) -> Self {
        Self {
            id,
            received_at,
            started: Instant::now(),
            method: parts.method.as_str().to_owned(),
            target: redact::target(parts.uri.path_and_query().map_or("/", |p| p.as_str())),
            kept_headers: redact::headers(&parts.headers),
            source: peer.map(|p| p.ip().to_string()),
            headers: parts.headers.clone(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            organization: OrganizationId::NONE,
            operation,
            kept_body: String::new(),
            redactions: Vec::new(),
        }
    }

    /// The exchange with its answer, as the log keeps it. Cookies and the query of a redirect are
    /// left out: they are for the browser.
    pub fn close(&self, caller: Actor, reply: &Reply) -> Exchange {
        let body = reply.body.clone().unwrap_or_default();
        let location = reply.location.iter().map(|l| ("location".to_owned(), l.split('?').next().unwrap_or_default().to_owned()));
        let subject = match &caller {
            Actor::User { user } => Some(user.to_string()),
            _ => None,
        };
        Exchange {
            id: self.id,
            organization: self.organization,
            parent: None,
            replays: None,
            subject_key: None,
            facts: Default::default(),
            bodies_dropped: false,
            received_at: self.received_at,
            protocol: Protocol::Saml,
            method: self.method.clone(),
            target: self.target.clone(),
            headers: self.kept_headers.clone(),
            source: self.source.clone(),
            caller,
            operation: self.operation.to_owned(),
            subject,
            interpretations: Vec::new(),
            unknown_shape: false,
            answer: Answer {
                status: reply.status,
                headers: location.collect(),
                rule: None,
                scim_type: None,
                detail: reply.detail.clone(),
                found: None,
                body_bytes: body.len() as u64,
                body_kept: true,
            },
            duration_us: u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            redactions: self.redactions.clone(),
            request_body: self.kept_body.clone().into_bytes(),
            answer_body: body.into_bytes(),
        }
    }

    /// For the histogram.
    pub fn elapsed(&self) -> std::time::Duration {
        self.started.elapsed()
    }
}
