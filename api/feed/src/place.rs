//! A consumer's own place, kept here if it has nowhere else to keep it.

use crate::feed::is_in_the_log;
use axum::extract::State;
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::consumers::ConsumerPath;
use rollcall_contract::feed::NewPlace;
use rollcall_door::callers::Follower;
use rollcall_door::{App, Given, Refusal};
use rollcall_projections::consumer_places::Moved;
use std::sync::Arc;

/// Moves the place of a consumer, if it is where the consumer believes it to be. A consumer that
/// can keep it in one transaction with what it does should do that instead.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}/position",
    tag = "feed",
    params(ConsumerPath),
    request_body = NewPlace,
    security(("operator" = []), ("admin" = []), ("consumer" = [])),
    responses(
        (status = 204),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It is elsewhere, or would be beyond the end of the log"),
    ),
)]
pub async fn keep(
    follower: Follower,
    State(app): State<Arc<App>>,
    Given(NewPlace { from, to }): Given<NewPlace>,
) -> Result<StatusCode, Refusal> {
    let (organization, consumer) = (follower.organization, follower.consumer(&app).await?.id);
    is_in_the_log(to, app.engine.log.head(organization).await?.position)?;
    match app.places.settle(organization, consumer, from, to, app.engine.clock.now()).await? {
        Moved::Yes => Ok(StatusCode::NO_CONTENT),
        Moved::Elsewhere(at) => Err(Refusal::conflict(format!(
            "this consumer stands at position {at}, not {from}: another process moved it"
        ))),
    }
}
