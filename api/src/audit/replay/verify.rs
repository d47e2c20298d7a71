//! Do recorded exchanges give the recorded events?

use super::answer;
use super::request::{ReplayRequest, permit};
use crate::admin::{Admin, OrganizationPath};
use crate::problem::Problem;
use crate::replay::{self, ReplayLine, ScratchSettings};
use crate::state::App;
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::Response;
use std::sync::Arc;

/// Replays exchanges in a fork of the log and compares events, answers and readings. The answer is
/// a line of JSON for each exchange that differs or could not be replayed, and a summary.
#[utoipa::path(post, path = "/api/v1/organizations/{organization}/replay/verify", tag = "replay", params(OrganizationPath),
    request_body = ReplayRequest, security(("operator" = [])),
    responses((status = 200, content_type = "application/x-ndjson", body = ReplayLine), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn verify(
    _: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
    body: Result<Json<ReplayRequest>, JsonRejection>,
) -> Result<Response<Body>, Problem> {
    let request = ReplayRequest::read(body)?;
    let organization = path.find(&app).await?;
    let (selection, settings) = (request.selection(&app, organization.id).await?, ScratchSettings::of(&app, request.refused()?));
    let permit = permit(&app)?;
    let engine = &app.engine;
    let lines = replay::verify(engine.log.clone(), organization.id, selection, settings, engine.clock.clone(), request.all).await;
    Ok(answer(lines.map_err(|e| Problem::unavailable(&e))?, permit))
}
