//! Who it is that holds a session.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rollcall_contract::Problem;
use rollcall_contract::sessions::SessionBody;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::session::{self, check};
use std::sync::Arc;

/// Who holds the session of the cookie, or of the bearer token. Ask with every request: a session
/// ends at once when SCIM switches its user off.
#[utoipa::path(
    get,
    path = "/api/v1/session",
    tag = "session",
    responses(
        (status = 200, body = SessionBody),
        (status = 401, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let bearer = authorization
        .and_then(|v| v.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let token = bearer
        .map(|(_, token)| token.trim())
        .or_else(|| session::token(&headers))
        .filter(|t| !t.is_empty() && t.len() <= 512);
    let nobody = || {
        Refusal::new(StatusCode::UNAUTHORIZED, "there is no session, or it is over: sign in again")
    };
    let checked = check(&app, token.ok_or_else(nobody)?).await?.ok_or_else(nobody)?;
    let body = SessionBody {
        session_id: checked.row.id.0,
        organization_id: checked.row.organization.0,
        organization: checked.organization.domain,
        user_id: checked.row.subject.0,
        user_name: checked.user_name,
        display_name: checked.display_name,
        external_id: checked.external_id,
        began_at: checked.row.began,
        expires_at: checked.row.expires,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}
