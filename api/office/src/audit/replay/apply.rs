//! Recorded requests once again, for good.

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
use rollcall_replay::Submission;
use std::sync::Arc;

/// Submits chosen exchanges again, as new exchanges that name the old ones. The operator is the
/// actor of what they cause. Those that succeeded, or
/// that later requests have overtaken, are refused unless `force` is set.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/replay/apply",
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
pub async fn apply(
    operator: Operator,
    State(app): State<Arc<App>>,
    State(replaying): State<Replaying>,
    Path(path): Path<OrganizationPath>,
    Given(request): Given<ReplayRequest>,
) -> Result<Response<Body>, Refusal> {
    let organization = operator.organization(&app, &path.organization).await?;
    let selection = request::selection(&app, organization.id, &request).await?;
    if selection.exchanges.is_empty() && selection.numbers.is_none() && !selection.failed {
        return Err(Refusal::bad_request(
            "say what is to be submitted again: exchanges by their ids, a run, or those that failed",
        ));
    }
    let permit = permit(&replaying)?;
    let submission = Submission { caller: operator.actor, forced: request.force };
    let lines = rollcall_replay::apply(app, organization.id, selection, submission).await?;
    Ok(answer(lines, permit))
}
