//! What every request is held to before any door, and every answer after it.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rollcall_contract::route;
use rollcall_door::nul;
use rollcall_scim::is_scim;

/// Refuses what no client means, and lets nobody on the way keep an answer that does not say
/// otherwise: what is answered here is about people, or a secret (RFC 9111 section 5.2.2.5).
pub async fn well_formed(request: Request, next: Next) -> Response {
    let mut response = match fault(&request) {
        Some(why) => (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response(),
        None => next.run(request).await,
    };
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(no_store);
    response
}

fn fault(request: &Request) -> Option<&'static str> {
    // RFC 9112 section 3.2: also of a proxy that would choose another one than we do.
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return Some("a request has one Host header");
    }
    // These say it in their own form, and keep it as evidence.
    let has_its_own = request.uri().path().starts_with(route::PREFIX) || is_scim(request.uri());
    let target = request.uri().path_and_query().filter(|_| !has_its_own);
    if target.is_some_and(|target| nul::in_encoded(target.as_str().as_bytes())) {
        return Some("there is a NUL character in this address");
    }
    None
}
