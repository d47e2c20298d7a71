//! Groups whose members use the console. Operators say which: an admin who came in by a group would
//! otherwise open the console to others.

use crate::audit::{moment, named};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::console::{
    ConsoleGroupBody, ConsoleGroupPath, ConsoleGroupRole, NewConsoleGroup,
};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::organization::{GroupRole, OrganizationCommand};
use rollcall_domain::scim::ResourceKind;
use rollcall_door::callers::{Admin, Operator};
use rollcall_door::{App, Given, Refusal};
use rollcall_projections::console_groups::ConsoleGroupRow;
use std::sync::Arc;

fn body(row: ConsoleGroupRow) -> ConsoleGroupBody {
    ConsoleGroupBody {
        group_id: row.group.0,
        group: row.display,
        role: match row.role {
            GroupRole::Admin => ConsoleGroupRole::Admin,
            GroupRole::Auditor => ConsoleGroupRole::Auditor,
        },
        members: row.people,
        set_at: row.set,
    }
}

/// The groups whose members use the console, by signing in through their organization.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/console/groups",
    tag = "console",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = Vec<ConsoleGroupBody>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    admin: Admin,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<ConsoleGroupBody>>, Refusal> {
    let rows = app.console_groups.list(admin.organization.id).await?;
    Ok(Json(rows.into_iter().map(body).collect()))
}

/// Lets the members of a group use the console, once they have signed in through their
/// organization. It is the group that is there now: another one of the same name lets nobody in.
#[utoipa::path(
    put,
    path = "/api/v1/organizations/{organization}/console/groups/{group}",
    tag = "console",
    params(ConsoleGroupPath),
    request_body = NewConsoleGroup,
    security(("operator" = [])),
    responses(
        (status = 200, body = ConsoleGroupBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn set(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<ConsoleGroupPath>,
    Given(new): Given<NewConsoleGroup>,
) -> Result<Json<ConsoleGroupBody>, Refusal> {
    let organization = operator.organization(&app, &path.organization).await?.id;
    let group = present(&app, organization, &path.group).await?;
    let role = match new.role {
        ConsoleGroupRole::Admin => GroupRole::Admin,
        ConsoleGroupRole::Auditor => GroupRole::Auditor,
    };
    let command = OrganizationCommand::ConsoleGroup { group, role: Some(role) };
    operator.execute(&app, organization, command, StatusCode::OK).await?;
    let rows = app.console_groups.list(organization).await?;
    let row = rows.into_iter().find(|row| row.group == group);
    row.map(|row| Json(body(row))).ok_or_else(|| Refusal::not_found("it was removed meanwhile"))
}

/// Lets the members of a group use the console no more: their sessions of it are over.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{organization}/console/groups/{group}",
    tag = "console",
    params(ConsoleGroupPath),
    security(("operator" = [])),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn remove(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<ConsoleGroupPath>,
) -> Result<StatusCode, Refusal> {
    let organization = operator.organization(&app, &path.organization).await?.id;
    // One that is gone is named by its id.
    let group = match path.group.parse::<ResourceId>() {
        Ok(group) => group,
        Err(_) => present(&app, organization, &path.group).await?,
    };
    let command = OrganizationCommand::ConsoleGroup { group, role: None };
    operator.execute(&app, organization, command, StatusCode::NO_CONTENT).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The group of this name or id that is there now.
async fn present(
    app: &App,
    organization: OrganizationId,
    called: &str,
) -> Result<ResourceId, Refusal> {
    let (now, views) = moment::moment(app, organization, "group", None).await?;
    let kind = ResourceKind::Group;
    let found = named::of_path(&views, organization, kind, called, now.position).await?;
    match app.directory.group(organization, found).await? {
        Some(_) => Ok(found),
        None => Err(Refusal::not_found(format!("the group {called:?} is no more"))),
    }
}
