//! Organizations: create, list, show.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::organizations::{
    NewOrganization, OrganizationBody, OrganizationCreated, OrganizationPath,
};
use rollcall_domain::organization::OrganizationCommand;
use rollcall_door::App;
use rollcall_door::callers::{Admin, Operator};
use rollcall_door::{Given, Refusal};
use rollcall_projections::organizations::OrganizationRow;
use std::sync::Arc;
use uuid::Uuid;

fn body(app: &App, row: OrganizationRow) -> OrganizationBody {
    OrganizationBody {
        organization_id: row.id.0,
        name: row.name,
        domain: row.domain,
        enabled: row.enabled,
        scim: row.scim.as_str().to_owned(),
        created_at: row.created,
        tenant_url: app.scim_base.to_string(),
    }
}

/// Domains that would read as something else in a path.
const RESERVED: [&str; 2] = ["none", "all"];

/// Creates an organization.
#[utoipa::path(
    post,
    path = "/api/v1/organizations",
    tag = "organizations",
    request_body = NewOrganization,
    security(("operator" = [])),
    responses(
        (status = 201, body = OrganizationCreated),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn create(
    operator: Operator,
    State(app): State<Arc<App>>,
    Given(new): Given<NewOrganization>,
) -> Result<(StatusCode, Json<OrganizationCreated>), Refusal> {
    if RESERVED.contains(&new.domain.as_str()) || new.domain.parse::<Uuid>().is_ok() {
        return Err(Refusal::bad_request(format!(
            "the domain {:?} is reserved: choose another",
            new.domain
        )));
    }
    let id = app.engine.ids.organization();
    let domain = new.domain.clone();
    operator
        .create(
            &app,
            id,
            OrganizationCommand::Create { name: new.name, domain: new.domain },
            StatusCode::CREATED,
        )
        .await?;
    Ok((
        StatusCode::CREATED,
        Json(OrganizationCreated {
            organization_id: id.0,
            domain,
            tenant_url: app.scim_base.to_string(),
        }),
    ))
}

/// All organizations.
#[utoipa::path(
    get,
    path = "/api/v1/organizations",
    tag = "organizations",
    security(("operator" = [])),
    responses((status = 200, body = Vec<OrganizationBody>), (status = 401, body = Problem)),
)]
pub async fn list(
    _: Operator,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<OrganizationBody>>, Refusal> {
    let rows = app.organizations.list().await?;
    Ok(Json(rows.into_iter().map(|row| body(&app, row)).collect()))
}

/// One organization.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}",
    tag = "organizations",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = OrganizationBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn show(
    admin: Admin,
    State(app): State<Arc<App>>,
) -> Result<Json<OrganizationBody>, Refusal> {
    Ok(Json(body(&app, admin.organization)))
}
