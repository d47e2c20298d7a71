//! Where a request of `/api/v1` comes in: the exchange is opened first and closed last, whatever
//! happens.
//!
//! What was read is not kept, for the log can give it again, nor what was issued, for that is
//! secret. What operators only read leaves no exchange: the log is theirs. What auditors and admins
//! only read leaves a line in the trail of reads, and so does everything about one person, whoever
//! takes it away.

use crate::declared::{Declared, described};
use crate::{arriving, problem, trail};
use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use rollcall_contract::moment::CLOCK_SKEW;
use rollcall_contract::{Problem, route};
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::{Answer, Protocol};
use rollcall_domain::ids::OrganizationId;
use rollcall_door::callers::introduced;
use rollcall_door::exchange::{
    Closing, Kept, Opened, POSITION, Visit, guarded, keep, measure, redact, span,
};
use rollcall_door::{App, Refusal, nul};
use std::sync::Arc;
use tracing::Instrument as _;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

/// The header with the id of a request that only read: what it asked is in the trail of reads.
const READ_ID: HeaderName = HeaderName::from_static("read-id");

/// What an exchange is called that asked for nothing there is.
const NOTHING: &str = "unknown";

/// Names the operation of a route, such as `audit.events.list`, for its exchanges and in its
/// description, and refuses what the description does not declare.
pub fn operation<S: Clone + Send + Sync + 'static>(
    protocol: Protocol,
    name: &'static str,
    mut routes: UtoipaMethodRouter<S>,
) -> UtoipaMethodRouter<S> {
    let declared = Declared::of(&routes.1);
    for operation in described(&mut routes.1) {
        operation.operation_id = Some(name.to_owned());
    }
    routes.layer(middleware::from_fn(move |request: Request, next: Next| {
        let declared = declared.clone();
        async move {
            let (mut parts, body) = request.into_parts();
            let answered = declared.check_method(&parts);
            if let (Ok(()), Some(visit)) = (&answered, parts.extensions.get::<Visit>()) {
                visit.name(protocol, name);
            }
            let query = parts.uri.query().unwrap_or_default();
            match answered.and_then(|()| declared.check(&parts.method, query)) {
                Ok(()) => next.run(Request::from_parts(parts, body)).await,
                // Who asked is said all the same, and whoever may not know is not told more.
                Err(refusal) => known(&mut parts).await.err().unwrap_or(refusal).into_response(),
            }
        }
    }))
}

fn has_no_nul(uri: &Uri) -> Result<(), Refusal> {
    let target = uri.path_and_query().map(|target| target.as_str()).unwrap_or_default();
    match nul::in_encoded(target.as_bytes()) {
        true => Err(Refusal::bad_request("there is a NUL character in this address")),
        false => Ok(()),
    }
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

/// Every address below the prefix at which there is nothing.
pub async fn nothing(request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let refusal = known(&mut parts).await.err();
    let there_is = || {
        let described = route::DESCRIPTION;
        Refusal::not_found(format!("there is nothing at this address: {described} lists what is"))
    };
    refusal.unwrap_or_else(there_is).into_response()
}

/// Finds out who asks for what no handler will see.
async fn known(parts: &mut Parts) -> Result<(), Refusal> {
    let app = parts.extensions.get::<Arc<App>>().cloned();
    let app = app.ok_or_else(|| Refusal::unavailable(&"a request came in past the entry"))?;
    introduced(parts, &app).await
}

/// Serves one request and keeps its exchange.
pub async fn entry(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let opened = Opened::new(&app.engine, Protocol::Administration, NOTHING, &parts);
    let method = parts.method.clone();
    let (body, read) = arriving::watched(&parts.headers, body);
    let span = span(&opened);
    let visit = Visit::new(opened);
    // What is about no organization rests on the deployment's log. Where one is named, whoever finds
    // it says how far its views are.
    if !names_organization(parts.uri.path())
        && let Ok(position) = app.engine.folder.position(OrganizationId::NONE).await
    {
        visit.rests_on(position);
    }
    parts.extensions.insert(visit.clone());
    parts.extensions.insert(app.clone());
    let served = match has_no_nul(&parts.uri) {
        Ok(()) => guarded(next.run(Request::from_parts(parts, body)).instrument(span)).await,
        // Before anybody looks for the organization that is named so.
        Err(refusal) => Some(refusal.into_response()),
    };
    let mut response =
        served.unwrap_or_else(|| Refusal::unavailable(&"a handler panicked").into_response());
    response = problem::told(response).await;
    let position = visit.position();
    let (mut opened, mut kept) = visit.into_parts();
    opened.body = read.taken();
    // Nobody reads where nothing is.
    let only_reads = opened.operation != NOTHING
        && (method == Method::GET || opened.protocol == Protocol::Audit);
    let followed = trail::is_followed(&opened.caller, opened.operation);
    if kept == Kept::Record && opened.caller.is_operator() && only_reads && !followed {
        kept = Kept::CountOnly;
    }
    if opened.caller == Actor::Unauthenticated && response.status() != StatusCode::OK {
        kept = Kept::Ring;
    } else if opened.caller == Actor::Unauthenticated {
        // Who holds a session is asked at each click.
        kept = Kept::CountOnly;
    }
    if app.engine.closed().is_some() {
        // There is no log to keep it in.
        kept = Kept::CountOnly;
    }
    if kept == Kept::Record && only_reads && followed {
        let given = trail::Given::with(&response);
        match trail::note(&app, &opened, given).await {
            Ok(noted) => kept = noted,
            Err(error) => response = Refusal::unavailable(&error).into_response(),
        }
        if let Ok(id) = HeaderValue::from_str(&opened.id.to_string()) {
            response.headers_mut().insert(READ_ID, id);
        }
    }
    let answered = answer(&response);
    let exchange = || opened.close(Closing::with(answered, Vec::new()));
    if let Err(error) = keep(&app.engine, &app.strangers, kept, exchange).await {
        response = Refusal::unavailable(&error).into_response();
    } else if !matches!(kept, Kept::CountOnly | Kept::Trail)
        && let Ok(id) = HeaderValue::from_str(&opened.id.to_string())
    {
        response = problem::of_exchange(response, opened.id);
        response.headers_mut().insert(HeaderName::from_static("exchange-id"), id);
    }
    measure(&opened, response.status().as_u16());
    let skew = app.engine.skew();
    if opened.protocol == Protocol::Audit && skew.is_alarming() {
        // An answer about the past may be off by so many seconds.
        if let Ok(seconds) = HeaderValue::from_str(&format!("{:.3}", skew.seconds())) {
            response.headers_mut().insert(HeaderName::from_static(CLOCK_SKEW), seconds);
        }
    }
    if let Some(position) = position.filter(|_| opened.caller != Actor::Unauthenticated) {
        response.headers_mut().insert(POSITION, HeaderValue::from(position));
    }
    response
}

/// Whether a path is below an organization, or about somebody's session.
fn names_organization(path: &str) -> bool {
    let below = |template: &str| path.strip_prefix(template).is_some_and(|r| r.starts_with('/'));
    below(route::LIST_ORGANIZATIONS.template) || path == route::SHOW_SESSION.template
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
