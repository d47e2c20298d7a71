//! An answer before it is HTTP.

use crate::refusal::Refusal;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use rollcall_domain::credential::TokenRequest;
use rollcall_domain::exchange::{Answer, Exchange};
use rollcall_domain::failure::Facts;
use rollcall_domain::ids::ExchangeId;
use rollcall_door::exchange::{Closing, Kept, Opened};
use serde_json::{Value, json};

/// An answer to one request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// Whether the body holds a token.
    secret: bool,
    refusal: Option<Refusal>,
    /// How its exchange is kept.
    pub kept: Kept,
}

impl Reply {
    /// Metadata: anybody may have it.
    pub fn document(body: &Value) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.to_string(),
            secret: false,
            refusal: None,
            kept: Kept::CountOnly,
        }
    }

    /// A token (RFC 6749 section 5.1).
    pub fn token(body: &Value) -> Self {
        let headers = vec![no_store(), ("pragma", "no-cache".to_owned())];
        Self { headers, secret: true, kept: Kept::Record, ..Self::document(body) }
    }

    /// None (section 5.2). Why a client is not let in is nobody's business but the operator's, who
    /// finds it by the exchange.
    pub fn refused(refusal: Refusal, exchange: ExchangeId) -> Self {
        let told = match refusal.code {
            "invalid_client" => format!("see exchange {exchange}"),
            _ => format!("{} (exchange {exchange})", refusal.told.unwrap_or(&refusal.detail)),
        };
        let body = json!({ "error": refusal.code, "error_description": told });
        let mut headers = vec![no_store()];
        if refusal.status == 401 {
            headers.push(("www-authenticate", "Basic realm=\"rollcall\"".to_owned()));
        }
        headers.extend(refusal.retry_after.map(|seconds| ("retry-after", seconds.to_string())));
        // What is one too many is not kept: whoever repeats it must not fill the disk.
        let kept = if refusal.status == 429 { Kept::CountOnly } else { Kept::Record };
        Self {
            status: refusal.status,
            headers,
            refusal: Some(refusal),
            kept,
            ..Self::document(&body)
        }
    }

    /// Says what may be done instead.
    pub fn allowing(mut self, methods: &str) -> Self {
        self.headers.push(("allow", methods.to_owned()));
        self
    }

    /// The exchange with this answer, as the log keeps it.
    pub fn close(&self, opened: &Opened, asked: Option<&TokenRequest>) -> Exchange {
        let kept = !self.secret;
        let answer = Answer {
            status: self.status,
            headers: self.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
            scim_type: None,
            rule: None,
            detail: self.refusal.as_ref().map(|refusal| refusal.detail.clone()),
            found: None,
            body_bytes: self.body.len() as u64,
            body_kept: kept,
        };
        let body = if kept { self.body.clone().into_bytes() } else { Vec::new() };
        let facts = Facts {
            cause: self.refusal.as_ref().and_then(|refusal| refusal.cause),
            token_request: asked.cloned().map(Box::new),
            ..Facts::default()
        };
        opened.close(Closing { facts, ..Closing::with(answer, body) })
    }

    /// The HTTP response.
    pub fn into_response(self, exchange: ExchangeId) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let id = ("exchange-id", exchange.to_string());
        for (name, value) in self.headers.into_iter().chain([id]) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

fn no_store() -> (&'static str, String) {
    ("cache-control", "no-store".to_owned())
}
