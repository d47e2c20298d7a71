//! Many sessions end at once: of a user, of an organization, or because single sign-on is not what it
//! was.

use axum::Json;
use axum::extract::State;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::sessions::{EndSessions, EndedBody};
use rollcall_domain::ids::ResourceId;
use rollcall_domain::user::{SessionEnd, User, UserCommand, UserError};
use rollcall_door::callers::Admin;
use rollcall_door::{App, Given, Refusal};
use rollcall_engine::Judgement;
use rollcall_projections::sessions::{SessionFilter, SessionRow};
use std::sync::Arc;

/// So many are looked at in one step.
const STEP: usize = 500;

/// Ends all sessions of a user, or of everybody in the organization, at once and on every server.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/sessions/end",
    tag = "audit",
    params(OrganizationPath),
    request_body = EndSessions,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = EndedBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn end_many(
    admin: Admin,
    State(app): State<Arc<App>>,
    Given(asked): Given<EndSessions>,
) -> Result<Json<EndedBody>, Refusal> {
    if let Some(user) = asked.user
        && app.directory.user(admin.organization.id, ResourceId(user)).await?.is_none()
    {
        return Err(Refusal::not_found(format!("there is no user {user} here")));
    }
    let subject = asked.user.map(ResourceId);
    let ended = end_all(&app, &admin, subject, SessionEnd::Operator, |_| true).await?;
    Ok(Json(EndedBody { ended }))
}

/// Ends the live sessions that are meant; says how many.
///
/// # Errors
/// If one of them could not be ended: those before it are.
pub async fn end_all(
    app: &App,
    admin: &Admin,
    subject: Option<ResourceId>,
    end: SessionEnd,
    meant: impl Fn(&SessionRow) -> bool,
) -> Result<u64, Refusal> {
    let now = app.engine.clock.now();
    let (mut ended, mut before) = (0, None);
    loop {
        let filter = SessionFilter { subject, live_at: Some(now), before };
        let rows = app.sessions.list(admin.organization.id, &filter, STEP).await?;
        let Some(last) = rows.last() else { return Ok(ended) };
        before = Some(last.seq);
        for row in rows.iter().filter(|row| meant(row)) {
            let command = UserCommand::EndSession { session: row.id, end };
            match admin.step::<User>(app, row.subject.0, command).await {
                Ok(_) => ended += 1,
                Err(error) => match error.into_judgement() {
                    // With the user, the session has gone already.
                    Ok(Judgement::Refused(UserError::NotFound)) => {}
                    Ok(judgement) => return Err(Refusal::unavailable(&judgement)),
                    Err(trouble) => return Err(Refusal::unavailable(&trouble)),
                },
            }
        }
    }
}
