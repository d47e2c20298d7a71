//! Where a request of `/api/v1` comes in: the exchange is opened first and closed last, whatever
//! happens.
//!
//! What was read is not kept, for the log can give it again, nor what was issued, for that is
//! secret. What operators only read leaves no exchange: the log is theirs.

use crate::arriving;
use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use rollcall_contract::Problem;
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::{Answer, Protocol};
use rollcall_door::exchange::{Closing, Kept, Opened, Visit, guarded, keep, measure, redact, span};
use rollcall_door::{App, Refusal};
use std::sync::Arc;
use tracing::Instrument as _;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

/// Names the operation of a route, such as `audit.events.list`, for its exchanges.
pub fn operation<S: Clone + Send + Sync + 'static>(
    protocol: Protocol,
    name: &'static str,
    routes: UtoipaMethodRouter<S>,
) -> UtoipaMethodRouter<S> {
    routes.layer(middleware::from_fn(move |request: Request, next: Next| async move {
        if let Some(visit) = request.extensions().get::<Visit>() {
            visit.name(protocol, name);
        }
        next.run(request).await
    }))
}

/// The same for a route that the description of `/api/v1` does not have.
pub fn beside<S: Clone + Send + Sync + 'static>(
    protocol: Protocol,
    name: &'static str,
    routes: MethodRouter<S>,
) -> MethodRouter<S> {
    routes.layer(middleware::from_fn(move |request: Request, next: Next| async move {
        if let Some(visit) = request.extensions().get::<Visit>() {
            visit.name(protocol, name);
        }
        next.run(request).await
    }))
}

/// Serves one request and keeps its exchange.
pub async fn entry(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let opened = Opened::new(&app.engine, Protocol::Administration, "unknown", &parts);
    let method = parts.method.clone();
    let (body, read) = arriving::watched(&parts.headers, body);
    let span = span(&opened);
    let visit = Visit::new(opened);
    parts.extensions.insert(visit.clone());
    let served = guarded(next.run(Request::from_parts(parts, body)).instrument(span)).await;
    let mut response =
        served.unwrap_or_else(|| Refusal::unavailable(&"a handler panicked").into_response());
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        visit.name(Protocol::Administration, "unknown");
    }
    let (mut opened, mut kept) = visit.into_parts();
    opened.body = read.taken();
    let only_reads = method == Method::GET || opened.protocol == Protocol::Audit;
    if kept == Kept::Record && opened.caller.is_operator() && only_reads {
        kept = Kept::CountOnly;
    }
    if opened.caller == Actor::Unauthenticated && response.status() != StatusCode::OK {
        opened.shorten();
        if !app.strangers.admits(opened.protocol) {
            let one_too_many = "too many requests without a live key";
            response = Refusal::new(StatusCode::TOO_MANY_REQUESTS, one_too_many).into_response();
            kept = Kept::CountOnly;
        }
    } else if opened.caller == Actor::Unauthenticated {
        // Who holds a session is asked at each click.
        kept = Kept::CountOnly;
    }
    let answered = answer(&response);
    let exchange = || opened.close(Closing::with(answered, Vec::new()));
    if let Err(error) = keep(&app.engine, kept, exchange).await {
        response = Refusal::unavailable(&error).into_response();
    } else if kept != Kept::CountOnly
        && let Ok(id) = HeaderValue::from_str(&opened.id.to_string())
    {
        response.headers_mut().insert(HeaderName::from_static("exchange-id"), id);
    }
    measure(&opened, response.status().as_u16());
    response
}

/// What is kept of an answer.
fn answer(response: &Response) -> Answer {
    Answer {
        status: response.status().as_u16(),
        headers: Vec::new(),
        rule: None,
        scim_type: None,
        detail: response.extensions().get::<Problem>().map(|p| redact::text(&p.detail)),
        body_bytes: response.body().size_hint().exact().unwrap_or(0),
        body_kept: false,
        found: None,
    }
}
