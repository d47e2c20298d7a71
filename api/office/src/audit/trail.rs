//! Auditors' reads are evidence too: each is an exchange, also a refused one. What was read is not
//! kept, for the log can give it again. The operator, who owns the log, leaves no trail by reading.

use crate::Office;
use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use rollcall_contract::Problem;
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::{Answer, Protocol};
use rollcall_domain::ids::OrganizationId;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::exchange::{Closing, Kept, Opened, keep, measure};
use std::sync::{Arc, Mutex};
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
pub fn audited(operation: &'static str, routes: UtoipaMethodRouter<Office>) -> UtoipaMethodRouter<Office> {
    routes.layer(middleware::map_response(move |mut response: Response| async move {
        response.extensions_mut().insert(Operation(operation));
        response
    }))
}

/// Keeps the exchanges of audited routes.
pub async fn keep_reads(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let trail = Trail::default();
    parts.extensions.insert(trail.clone());
    let mut opened = Opened::new(&app.engine, Protocol::Audit, "unknown", &parts);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let Some(Operation(operation)) = response.extensions_mut().remove() else { return response };
    opened.operation = operation;
    (opened.organization, opened.caller) = trail.caller();
    if opened.caller == Actor::Operator {
        return response;
    }
    let mut kept = Kept::Record;
    if opened.caller == Actor::Unauthenticated && !app.strangers.admits(opened.protocol) {
        response = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many requests without a valid key").into_response();
        kept = Kept::CountOnly;
    }
    let exchange = opened.close(Closing::with(answer(&response), Vec::new()));
    if let Err(error) = keep(&app.engine, kept, || exchange).await {
        response = Refusal::unavailable(&error).into_response();
    } else if let Ok(id) = HeaderValue::from_str(&opened.id.to_string()) {
        response.headers_mut().insert(HeaderName::from_static("exchange-id"), id);
    }
    measure(&opened, response.status().as_u16());
    response
}

/// What is kept of an answer to an auditor: not what was read.
fn answer(response: &Response) -> Answer {
    Answer {
        status: response.status().as_u16(),
        headers: Vec::new(),
        rule: None,
        scim_type: None,
        detail: response.extensions().get::<Problem>().map(|p| p.detail.clone()),
        body_bytes: response.body().size_hint().exact().unwrap_or(0),
        body_kept: false,
        found: None,
    }
}
