//! Sessions of an organization: list, end.

use crate::audit::paging::{Listed, Page};
use crate::audit::session_summary::summary;
use crate::audit::there;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::sessions::{SessionPath, SessionQuery, SessionSummary};
use rollcall_domain::ids::{ResourceId, SessionId};
use rollcall_domain::user::{SessionEnd, User, UserCommand, UserError};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::{Admin, Auditor};
use rollcall_engine::Judgement;
use rollcall_projections::sessions::SessionFilter;
use std::sync::Arc;

/// Sessions of an organization, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/sessions",
    tag = "audit",
    params(OrganizationPath, SessionQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = Vec<SessionSummary>),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<SessionQuery>,
) -> Result<Listed<Vec<SessionSummary>>, Refusal> {
    let page = Page::of(&query, &format!("{} sessions", auditor.organization))?;
    let now = app.engine.clock.now();
    let filter = SessionFilter {
        subject: query.user.map(ResourceId),
        live_at: query.live.then_some(now),
        before: page.place().or(query.before),
    };
    let mut rows = app.sessions.list(auditor.organization, &filter, page.fetch()).await?;
    if rows.is_empty() {
        there::resource(&app, auditor.organization, query.user).await?;
    }
    let next = page.cut(&mut rows, |row| row.seq);
    // Newest first: what comes in stands before the first page.
    let summaries = rows.into_iter().map(|row| summary(row, now)).collect();
    Ok(page.listed(summaries, next, 0))
}

/// Ends a session, at once and on every server.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{organization}/sessions/{session}",
    tag = "audit",
    params(SessionPath),
    security(("operator" = []), ("admin" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
)]
pub async fn end(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<SessionPath>,
) -> Result<StatusCode, Refusal> {
    let session = SessionId(path.session);
    let found = app.sessions.by_id(admin.organization.id, session).await?;
    let found = found
        .ok_or_else(|| Refusal::not_found(format!("there is no session {} here", path.session)))?;
    let command = UserCommand::EndSession { session, end: SessionEnd::Operator };
    let Err(error) = admin.on::<User>(&app, found.subject.0, command, StatusCode::NO_CONTENT).await
    else {
        return Ok(StatusCode::NO_CONTENT);
    };
    match error.into_judgement() {
        // With the user, the session has gone already.
        Ok(Judgement::Refused(UserError::NotFound)) => Ok(StatusCode::NO_CONTENT),
        Ok(judgement) => Err(Refusal::unavailable(&judgement)),
        Err(trouble) => Err(Refusal::unavailable(&trouble)),
    }
}
