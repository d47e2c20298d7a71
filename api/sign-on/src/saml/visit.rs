//! A browser's visit: its exchange, and what is read of it and never kept.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use rollcall_domain::exchange::Protocol;
use rollcall_door::exchange::Opened;
use rollcall_engine::Engine;

/// The facts of a visit.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Its exchange.
    pub opened: Opened,
    /// Headers as received.
    pub headers: HeaderMap,
    /// The query as received, undecoded.
    pub query: String,
}

impl Visit {
    /// Opens the exchange of a visit.
    pub fn new(engine: &Engine, operation: &'static str, parts: &Parts) -> Self {
        let mut opened = Opened::new(engine, Protocol::Saml, operation, parts);
        // A browser shows no credential, also where it is let in.
        opened.shorten();
        Self {
            opened,
            headers: parts.headers.clone(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
        }
    }
}
