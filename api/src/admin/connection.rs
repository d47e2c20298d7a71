//! Switches: an organization, and its SCIM connection. Off answers 503, so that nothing is lost.

use super::guard::{Admin, OrganizationPath, command};
use crate::problem::Problem;
use crate::state::App;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use rollcall_domain::organization::OrganizationCommand;
use std::sync::Arc;

async fn switch(app: &App, admin: &Admin, path: &OrganizationPath, to: OrganizationCommand) -> Result<StatusCode, Problem> {
    let organization = path.find(app).await?;
    command(app, admin, organization.id, false, to).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answers the organization's requests again.
#[utoipa::path(post, path = "/api/v1/organizations/{organization}/enable", tag = "organizations", params(OrganizationPath),
    security(("operator" = [])), responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn enable_organization(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
) -> Result<StatusCode, Problem> {
    switch(&app, &admin, &path, OrganizationCommand::Enable).await
}

/// Answers the organization's requests 503 until it is enabled.
#[utoipa::path(post, path = "/api/v1/organizations/{organization}/disable", tag = "organizations", params(OrganizationPath),
    security(("operator" = [])), responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn disable_organization(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
) -> Result<StatusCode, Problem> {
    switch(&app, &admin, &path, OrganizationCommand::Disable).await
}

/// Lets the SCIM connection work.
#[utoipa::path(post, path = "/api/v1/organizations/{organization}/scim/enable", tag = "scim", params(OrganizationPath),
    security(("operator" = [])), responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn enable_scim(admin: Admin, State(app): State<Arc<App>>, Path(path): Path<OrganizationPath>) -> Result<StatusCode, Problem> {
    switch(&app, &admin, &path, OrganizationCommand::EnableScim).await
}

/// Answers SCIM requests 503 until SCIM is enabled.
#[utoipa::path(post, path = "/api/v1/organizations/{organization}/scim/disable", tag = "scim", params(OrganizationPath),
    security(("operator" = [])), responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn disable_scim(admin: Admin, State(app): State<Arc<App>>, Path(path): Path<OrganizationPath>) -> Result<StatusCode, Problem> {
    switch(&app, &admin, &path, OrganizationCommand::DisableScim).await
}
