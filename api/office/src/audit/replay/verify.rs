//! Do recorded exchanges give the recorded events?

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
use rollcall_replay::ScratchSettings;
use std::sync::Arc;

/// Replays exchanges in a fork of the log and compares events, answers and readings. The answer is
/// a line of JSON for each exchange that differs or could not be replayed, and a summary.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/replay/verify",
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
pub async fn verify(
    operator: Operator,
    State(app): State<Arc<App>>,
    State(replaying): State<Replaying>,
    Path(path): Path<OrganizationPath>,
    Given(request): Given<ReplayRequest>,
) -> Result<Response<Body>, Refusal> {
    let organization = operator.organization(&app, &path.organization).await?;
    let (selection, settings) = (
        request::selection(&app, organization.id, &request).await?,
        ScratchSettings::of(&app, request::refused(&request)?),
    );
    let permit = permit(&replaying)?;
    let engine = &app.engine;
    let lines = rollcall_replay::verify(
        engine.log.clone(),
        organization.id,
        selection,
        settings,
        engine.clock.clone(),
        request.all,
    )
    .await;
    Ok(answer(lines?, permit))
}
