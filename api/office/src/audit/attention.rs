//! What needs somebody, on request.

use crate::attention;
use axum::Json;
use axum::extract::State;
use rollcall_contract::Problem;
use rollcall_contract::attention::NeedBody;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_door::callers::Auditor;
use rollcall_door::{App, Refusal};
use std::sync::Arc;

/// What needs somebody in an organization now, the worst first; empty if all is well.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/attention",
    tag = "audit",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = Vec<NeedBody>),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    Auditor { organization, .. }: Auditor,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<NeedBody>>, Refusal> {
    let row = app.organizations.by_id(organization).await?;
    let row = row.ok_or_else(|| {
        Refusal::not_found("requests that named no organization need nobody of one")
    })?;
    attention::of(&app, &row).await.map(Json)
}
