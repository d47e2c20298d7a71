//! Somebody is held, so that nobody erases them; and released.

use super::because::because;
use axum::extract::State;
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::people::HoldPerson;
use rollcall_domain::user::{User, UserCommand, UserError};
use rollcall_door::callers::Admin;
use rollcall_door::{App, Given, Refusal};
use rollcall_engine::Judgement;
use std::sync::Arc;
use uuid::Uuid;

/// Lets nobody erase a user, or who they were, until they are released. Holding somebody who is held
/// changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/people/hold",
    tag = "operation",
    params(OrganizationPath),
    request_body = HoldPerson,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 204),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn hold(
    admin: Admin,
    State(app): State<Arc<App>>,
    Given(asked): Given<HoldPerson>,
) -> Result<StatusCode, Refusal> {
    let command = UserCommand::Hold { because: because(&asked.because)? };
    carry_out(&app, &admin, asked.user, command).await
}

/// Lets a user be erased again. Releasing somebody who is not held changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/people/release",
    tag = "operation",
    params(OrganizationPath),
    request_body = HoldPerson,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 204),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn release(
    admin: Admin,
    State(app): State<Arc<App>>,
    Given(asked): Given<HoldPerson>,
) -> Result<StatusCode, Refusal> {
    let command = UserCommand::Release { because: because(&asked.because)? };
    carry_out(&app, &admin, asked.user, command).await
}

async fn carry_out(
    app: &App,
    admin: &Admin,
    user: Uuid,
    command: UserCommand,
) -> Result<StatusCode, Refusal> {
    let Err(error) = admin.on::<User>(app, user, command, StatusCode::NO_CONTENT).await else {
        return Ok(StatusCode::NO_CONTENT);
    };
    match error.into_judgement() {
        Ok(Judgement::Refused(UserError::NotFound)) => {
            Err(Refusal::not_found(format!("there is no user {user}, and never was")))
        }
        Ok(Judgement::Refused(error @ UserError::Erased)) => {
            Err(Refusal::conflict(error.to_string()))
        }
        Ok(judgement) => Err(Refusal::unavailable(&judgement)),
        Err(trouble) => Err(Refusal::unavailable(&trouble)),
    }
}
