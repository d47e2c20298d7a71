//! Auditors' reads are evidence too: each is an exchange, also a refused one. What was read is not
//! kept, for the log can give it again. The operator, who owns the log, leaves no trail by reading.

use crate::problem::Problem;
use crate::scim::redact;
use crate::state::App;
use axum::body::HttpBody as _;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::{Answer, Exchange, Protocol};
use rollcall_domain::ids::OrganizationId;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

/// What the guard found out about a caller, for the exchange.
#[derive(Clone, Default)]
pub struct Trail(Arc<Mutex<Option<(OrganizationId, Actor)>>>);

impl Trail {
    /// Notes who calls, and in whose log it is to be kept.
    pub fn found(&self, organization: OrganizationId, actor: Actor) {
        *self.0.lock().unwrap_or_else(|e| e.into_inner()) = Some((organization, actor));
    }

    fn caller(&self) -> (OrganizationId, Actor) {
        let found = self.0.lock().unwrap_or_else(|e| e.into_inner()).take();
        found.unwrap_or((OrganizationId::NONE, Actor::Unauthenticated))
    }
}

/// The name of an operation that auditors may ask for.
#[derive(Clone, Copy)]
struct Operation(&'static str);

/// Names the operation of a route, such as `audit.events.list`, and has its exchanges kept.
pub fn audited(operation: &'static str, routes: UtoipaMethodRouter<Arc<App>>) -> UtoipaMethodRouter<Arc<App>> {
    routes.layer(middleware::map_response(move |mut response: Response| async move {
        response.extensions_mut().insert(Operation(operation));
        response
    }))
}

/// Keeps the exchanges of audited routes.
pub async fn keep(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let trail = Trail::default();
    request.extensions_mut().insert(trail.clone());
    let (received_at, started) = (app.engine.clock.now(), Instant::now());
    let method = request.method().as_str().to_owned();
    let target = redact::target(request.uri().path_and_query().map_or("/", |p| p.as_str()));
    let headers = redact::headers(request.headers());
    let source = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip().to_string());
    let mut response = next.run(request).await;
    let Some(Operation(operation)) = response.extensions_mut().remove() else { return response };
    let (organization, caller) = trail.caller();
    if caller == Actor::Operator {
        return response;
    }
    if caller == Actor::Unauthenticated && !app.strangers.admits() {
        metrics::counter!("rollcall_turned_away_total", "protocol" => "audit").increment(1);
        return Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many requests without a valid key").into_response();
    }
    let exchange = Exchange {
        id: app.engine.ids.exchange(),
        organization,
        parent: None,
        replays: None,
        received_at,
        protocol: Protocol::Audit,
        method,
        target,
        headers,
        source,
        caller,
        operation: operation.to_owned(),
        subject: None,
        subject_key: None,
        facts: Default::default(),
        interpretations: Vec::new(),
        unknown_shape: false,
        answer: Answer {
            status: response.status().as_u16(),
            headers: Vec::new(),
            rule: None,
            scim_type: None,
            detail: response.extensions().get::<Problem>().map(|p| p.detail.clone()),
            body_bytes: response.body().size_hint().exact().unwrap_or(0),
            body_kept: false,
            found: None,
        },
        duration_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        redactions: Vec::new(),
        bodies_dropped: false,
        request_body: Vec::new(),
        answer_body: Vec::new(),
    };
    let id = exchange.id;
    if let Err(error) = app.engine.record(exchange).await {
        metrics::counter!("rollcall_unrecorded_exchanges_total").increment(1);
        return Problem::unavailable(&error).into_response();
    }
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(HeaderName::from_static("exchange-id"), id);
    }
    response
}
