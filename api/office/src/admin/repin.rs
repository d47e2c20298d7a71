//! A user's person is another one from now on, because an admin says so and why.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::repin::{NewPerson, PersonPath};
use rollcall_domain::claim::ClaimKind;
use rollcall_domain::login::ObjectId;
use rollcall_domain::user::{User, UserCommand, UserError};
use rollcall_door::callers::Admin;
use rollcall_door::{App, Given, Refusal};
use rollcall_engine::{ExecuteError, Judgement};
use std::sync::Arc;

/// Knows a user's person by another object id, or by that of the next login. Their sessions end.
#[utoipa::path(
    put,
    path = "/api/v1/organizations/{organization}/logins/people/{user}",
    tag = "saml",
    params(PersonPath),
    request_body = NewPerson,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 204),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn repin(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<PersonPath>,
    Given(new): Given<NewPerson>,
) -> Result<StatusCode, Refusal> {
    let known = match &new.object_id {
        Some(object_id) => Some(known(&app, &admin, object_id).await?),
        None => None,
    };
    let command = UserCommand::Repin { known, reason: new.reason };
    match admin.on::<User>(&app, path.user, command, StatusCode::NO_CONTENT).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(refused(path.user, error)),
    }
}

/// The object id as one of the organization's identity provider.
async fn known(app: &App, admin: &Admin, object_id: &str) -> Result<ObjectId, Refusal> {
    let connection = app.connections.of(admin.organization.id).await?;
    let Some(idp) = connection.and_then(|connection| connection.settings.idp) else {
        return Err(Refusal::conflict(
            "single sign-on is not set up: there is no identity provider",
        ));
    };
    ObjectId::new(&idp.entity_id, object_id)
        .ok_or_else(|| Refusal::bad_request("an object id has 1 to 200 characters, and no blanks"))
}

fn refused(user: uuid::Uuid, error: ExecuteError<UserError>) -> Refusal {
    match error.into_judgement() {
        Ok(Judgement::Refused(UserError::NotFound)) => {
            Refusal::not_found(format!("there is no user {user} here"))
        }
        Ok(Judgement::Refused(reason @ UserError::InvalidReason)) => {
            Refusal::bad_request(reason.to_string())
        }
        Ok(Judgement::Taken { kind: ClaimKind::ObjectId, holder }) => Refusal::conflict(format!(
            "the user {} is known by this object id: release it there first",
            holder.id
        )),
        Ok(judgement) => Refusal::unavailable(&judgement),
        Err(trouble) => Refusal::unavailable(&trouble),
    }
}
