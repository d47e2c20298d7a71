//! A browser's visit: its exchange, and what is read of it and never kept.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use rollcall_domain::exchange::Protocol;
use rollcall_door::exchange::Opened;
use rollcall_engine::Engine;
use rollcall_engine::secrets::sha256_hex;

/// Whose page it is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The organization's name.
    pub name: String,
    /// Where a sign-in begins.
    pub sign_on: String,
}

/// The facts of a visit.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Its exchange.
    pub opened: Opened,
    /// Whose it is, once that is known, for the pages.
    pub place: Option<Place>,
    /// Headers as received.
    pub headers: HeaderMap,
    /// The query as received, undecoded.
    pub query: String,
}

/// A message in a query names a person, and could be sent again: its hash stands for it.
fn without_messages(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let hashed = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name @ ("SAMLRequest" | "SAMLResponse"), value)) => {
            let value: String = percent_decoded(value);
            format!("{name}=sha256:{}", sha256_hex(&value))
        }
        _ => pair.to_owned(),
    });
    format!("{path}?{}", hashed.collect::<Vec<_>>().join("&"))
}

fn percent_decoded(value: &str) -> String {
    let pair = format!("v={value}");
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, v)| v.into_owned()).unwrap_or_default()
}

impl Visit {
    /// Opens the exchange of a visit.
    pub fn new(engine: &Engine, operation: &'static str, parts: &Parts) -> Self {
        let mut opened = Opened::new(engine, Protocol::Saml, operation, parts);
        // A browser shows no credential, also where it is let in.
        opened.target = without_messages(&opened.target);
        opened.shorten();
        Self {
            opened,
            place: None,
            headers: parts.headers.clone(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
        }
    }
}
