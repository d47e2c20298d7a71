//! Who is signed in to the console.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::console::{ConsoleSessionBody, ConsoleSessionPath};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_door::callers::{Admin, standing};
use rollcall_door::session::Asked;
use rollcall_door::{App, Refusal};
use std::sync::Arc;

/// Who is, or was within 30 days, signed in to the console for this organization, newest first.
/// Operators are signed in to all of them, and are not listed.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/console/sessions",
    tag = "console",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = Vec<ConsoleSessionBody>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    admin: Admin,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<ConsoleSessionBody>>, Refusal> {
    let now = app.engine.clock.now();
    let rows = app.console.sessions.list(admin.organization.id).await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        // One whose key was revoked, or whose holder left the group, is over.
        let live = row.is_live(now) && standing(&app, &row, Asked::ToLook).await?.is_some();
        all.push(ConsoleSessionBody {
            session_id: row.id,
            role: row.role.as_str().to_owned(),
            live,
            label: row.label,
            began_at: row.began_at,
            seen_at: row.seen_at,
            ends_at: row.ends_at,
            source: row.source,
        });
    }
    Ok(Json(all))
}

/// Ends a session of the console, at once and on every server.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{organization}/console/sessions/{session}",
    tag = "console",
    params(ConsoleSessionPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn end(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<ConsoleSessionPath>,
) -> Result<StatusCode, Refusal> {
    let now = app.engine.clock.now();
    match app.console.sessions.end(admin.organization.id, path.session, now).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Refusal::not_found("there is no such session")),
    }
}
