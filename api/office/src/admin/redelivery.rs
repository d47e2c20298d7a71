//! Tells a consumer again what it was told.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::consumers::{ConsumerPath, Redelivery};
use rollcall_domain::consumer::Way;
use rollcall_door::callers::{Admin, consumer};
use rollcall_door::{App, Given, Refusal};
use rollcall_projections::consumer_places::Moved;
use std::sync::Arc;

/// Puts a consumer back: everything after a position is delivered again, in its order and with the
/// same ids, and nothing overtakes it. A consumer that has stopped is not resumed by this.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}/redeliver",
    tag = "consumers",
    params(ConsumerPath),
    request_body = Redelivery,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 204),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It was not told yet what stands there, began later, or asks for what it wants"),
    ),
)]
pub async fn redeliver(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<ConsumerPath>,
    Given(Redelivery { after }): Given<Redelivery>,
) -> Result<StatusCode, Refusal> {
    let row = consumer(&app, admin.organization.id, &path.consumer).await?;
    if row.way == Way::Pull {
        return Err(Refusal::conflict(
            "nothing is delivered to this consumer: it asks after the position that it wants",
        ));
    }
    let start = row.way.start();
    match app.places.put_back(row.organization, row.id, start, after).await? {
        Moved::Yes => Ok(StatusCode::NO_CONTENT),
        Moved::Elsewhere(at) => Err(Refusal::conflict(format!(
            "this consumer was told what stands after position {start} and up to {at}: give a position between them, not {after}"
        ))),
    }
}
