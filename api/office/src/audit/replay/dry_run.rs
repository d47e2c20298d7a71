//! What would recorded exchanges do now?

use super::answer;
use super::request::{self, permit};
use crate::Replaying;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::replay::{ReplayLine, ReplayRequest};
use rollcall_door::App;
use rollcall_door::callers::Operator;
use rollcall_door::{Given, Refusal};
use rollcall_replay::{DryRun, ScratchSettings};
use std::sync::Arc;

/// Runs exchanges in a fork of the log as it is now: their answers, and the events they would
/// cause, and what apply would refuse, for the same reason. Nothing is written. If nothing is chosen,
/// those that failed.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/replay/dry-run",
    tag = "replay",
    params(OrganizationPath),
    request_body = ReplayRequest,
    security(("operator" = [])),
    responses(
        (status = 200, content_type = "application/x-ndjson", body = ReplayLine),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn dry_run(
    operator: Operator,
    State(app): State<Arc<App>>,
    State(replaying): State<Replaying>,
    Path(path): Path<OrganizationPath>,
    Given(request): Given<ReplayRequest>,
) -> Result<Response<Body>, Refusal> {
    let organization = operator.organization(&app, &path.organization).await?;
    let settings = ScratchSettings::of(&app, request::refused(&request)?);
    let mut selection = request::selection(&app, organization.id, &request).await?;
    selection.failed |= selection.exchanges.is_empty() && selection.numbers.is_none();
    let permit = permit(&replaying)?;
    let asked = DryRun { selection, forced: request.force, settings };
    let lines = rollcall_replay::dry_run(&app, organization.id, asked).await?;
    Ok(answer(lines, permit))
}
