//! Switches: an organization, and its SCIM connection. Off answers 503, so that nothing is lost.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::scim::EnableQuery;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::organization::OrganizationCommand;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::{Admin, Operator};
use rollcall_projections::organizations::ScimState;
use std::sync::Arc;

/// Answers the organization's requests again.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/enable",
    tag = "organizations",
    params(OrganizationPath),
    security(("operator" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
)]
pub async fn enable_organization(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
) -> Result<StatusCode, Refusal> {
    let organization = operator.organization(&app, &path.organization).await?;
    operator
        .execute(&app, organization.id, OrganizationCommand::Enable, StatusCode::NO_CONTENT)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answers the organization's requests 503 until it is enabled.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/disable",
    tag = "organizations",
    params(OrganizationPath),
    security(("operator" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
)]
pub async fn disable_organization(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
) -> Result<StatusCode, Refusal> {
    let organization = operator.organization(&app, &path.organization).await?;
    operator
        .execute(&app, organization.id, OrganizationCommand::Disable, StatusCode::NO_CONTENT)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets the SCIM connection work. Single sign-on comes first, unless somebody wants SCIM alone.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/scim/enable",
    tag = "scim",
    params(OrganizationPath, EnableQuery),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn enable_scim(
    admin: Admin,
    State(app): State<Arc<App>>,
    Query(query): Query<EnableQuery>,
) -> Result<StatusCode, Refusal> {
    let organization = &admin.organization;
    // What was in use before and paused is only taken up again.
    let first = organization.scim == ScimState::Never;
    if first && !query.allow_without_sso && !sso_is_ready(&app, organization.id).await? {
        return Err(Refusal::conflict(
            "single sign-on is not set up yet: rollcall saml configure comes first; to use SCIM alone say --allow-scim-without-sso",
        ));
    }
    admin.done(&app, OrganizationCommand::EnableScim).await
}

/// Whether people can sign in.
pub(super) async fn sso_is_ready(app: &App, organization: OrganizationId) -> Result<bool, Refusal> {
    let connection = app.connections.of(organization).await?;
    Ok(connection.is_some_and(|c| c.settings.is_ready()))
}

/// Answers SCIM requests 503 until SCIM is enabled.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/scim/disable",
    tag = "scim",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
)]
pub async fn disable_scim(
    admin: Admin,
    State(app): State<Arc<App>>,
) -> Result<StatusCode, Refusal> {
    admin.done(&app, OrganizationCommand::DisableScim).await
}
