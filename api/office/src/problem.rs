//! Every error of `/api/v1` is a problem (RFC 9457), whoever noticed it: what the framework says in
//! plain text about a path, a query or a method is told in the same form as what handlers say.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use rollcall_contract::Problem;
use rollcall_contract::problem::MEDIA_TYPE;
use rollcall_domain::ids::ExchangeId;
use rollcall_door::Refusal;

/// More than any sentence of the framework.
const SENTENCE_BYTES: usize = 16 * 1024;

/// The same answer; if it is an error without a problem, with one.
pub async fn told(response: Response) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error())
        || response.extensions().get::<Problem>().is_some()
    {
        return response;
    }
    let (parts, body) = response.into_parts();
    let said = to_bytes(body, SENTENCE_BYTES).await.unwrap_or_default();
    let mut refusal = Refusal::new(status, String::from_utf8_lossy(&said).trim());
    if refusal.0.detail.is_empty() {
        refusal.0.detail.clone_from(&refusal.0.title);
    }
    let mut answer = refusal.into_response();
    if let Some(allowed) = parts.headers.get(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allowed.clone());
    }
    answer
}

/// The same answer; if it is a problem, one that names the exchange that was kept of it.
pub fn of_exchange(mut response: Response, exchange: ExchangeId) -> Response {
    let Some(mut problem) = response.extensions().get::<Problem>().cloned() else {
        return response;
    };
    problem.instance = Some(format!("urn:uuid:{exchange}"));
    let Ok(body) = serde_json::to_vec(&problem) else { return response };
    *response.body_mut() = Body::from(body);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}
