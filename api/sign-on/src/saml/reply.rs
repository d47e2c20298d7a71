//! An answer to a browser before it is HTTP.

use super::page::{CONTENT_SECURITY_POLICY, Page};
use super::visit::Visit;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::{Answer, Exchange};
use rollcall_domain::failure::Facts;
use rollcall_domain::ids::ExchangeId;
use rollcall_domain::saml::Reason;
use rollcall_door::exchange::{Closing, Kept, Opened};

const HTML: &str = "text/html; charset=utf-8";

/// An answer to one visit.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Where to go.
    pub location: Option<String>,
    /// `Set-Cookie` lines: never kept.
    pub cookies: Vec<String>,
    /// The body.
    pub body: Option<String>,
    /// Its kind.
    pub media_type: &'static str,
    /// The stable code that the page tells.
    pub code: Option<&'static str>,
    /// What happened, for the operator.
    pub detail: Option<String>,
    /// Why the message was refused, if it could not be trusted.
    pub untrusted: Option<Reason>,
    /// How its exchange is kept.
    pub kept: Kept,
}

impl Reply {
    /// A page.
    pub fn page(status: u16, page: &Page<'_>, visit: &Visit) -> Self {
        Self { code: page.code, ..Self::text(status, HTML, page.to_html(visit)) }
    }

    /// A body of another kind.
    pub fn text(status: u16, media_type: &'static str, body: String) -> Self {
        Self {
            status,
            location: None,
            cookies: Vec::new(),
            body: Some(body),
            media_type,
            code: None,
            detail: None,
            untrusted: None,
            kept: Kept::Record,
        }
    }

    /// Sends the browser elsewhere, with GET.
    pub fn redirect(location: String) -> Self {
        Self { location: Some(location), body: None, ..Self::text(303, HTML, String::new()) }
    }

    /// Sets a cookie.
    pub fn cookie(mut self, line: String) -> Self {
        self.cookies.push(line);
        self
    }

    /// Keeps its exchange with the evidence of strangers: it had no consequence, and anybody may
    /// ask for it as often as they like.
    pub fn beside_the_log(self) -> Self {
        Self { kept: Kept::Ring, ..self }
    }

    /// Says why a message was refused that could not be trusted.
    pub fn untrusted(self, reason: Reason) -> Self {
        Self { untrusted: Some(reason), ..self }
    }

    /// Tells the operator what happened.
    pub fn told(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The exchange with this answer, as the log keeps it. Cookies and the query of a redirect are
    /// left out: they are for the browser.
    pub fn close(&self, opened: &Opened) -> Exchange {
        let body = self.body.clone().unwrap_or_default().into_bytes();
        let location = self
            .location
            .iter()
            .map(|l| ("location".to_owned(), l.split('?').next().unwrap_or_default().to_owned()));
        let answer = Answer {
            status: self.status,
            headers: location.collect(),
            rule: None,
            scim_type: None,
            detail: self.detail.clone(),
            found: None,
            body_bytes: body.len() as u64,
            body_kept: true,
        };
        let subject = match &opened.caller {
            Actor::User { user } => Some(user.to_string()),
            _ => None,
        };
        let untrusted = self.untrusted.map(|reason| reason.code().to_owned());
        let facts = Facts { untrusted, ..Facts::default() };
        opened.close(Closing { subject, facts, ..Closing::with(answer, body) })
    }

    /// The HTTP response: never stored, never framed, no address passed on.
    pub fn into_response(self, exchange: ExchangeId) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body.unwrap_or_default()));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.append(name, value);
            }
        };
        set(header::CONTENT_TYPE, self.media_type);
        set(header::CACHE_CONTROL, "no-store");
        set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        set(header::REFERRER_POLICY, "no-referrer");
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(HeaderName::from_static("exchange-id"), &exchange.to_string());
        if matches!(self.status, 429 | 503) {
            set(header::RETRY_AFTER, "30");
        }
        if let Some(location) = &self.location {
            set(header::LOCATION, location);
        }
        for cookie in &self.cookies {
            set(header::SET_COOKIE, cookie);
        }
        response
    }
}
