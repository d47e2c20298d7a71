//! Claims: names that more than one user has.

use axum::Json;
use axum::extract::State;
use rollcall_contract::Problem;
use rollcall_contract::claims::{ClaimantBody, CollisionBody};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::claim::{ClaimKind, ClearClaim};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::Admin;
use rollcall_projections::directory::ResourceRow;
use std::sync::Arc;

/// Names that more than one user has. Each stays as it is until one is renamed or deleted.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/claims/collisions",
    tag = "organizations",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = Vec<CollisionBody>),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn collisions(
    admin: Admin,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<CollisionBody>>, Refusal> {
    let organization = admin.organization.id;
    let found = app.directory.same_names(organization).await?;
    let mut all = Vec::with_capacity(found.len());
    for (name, rows) in found {
        let holder = app
            .engine
            .holder(organization, &ClearClaim::new(ClaimKind::UserName, name.clone()))
            .await;
        let holder = holder?;
        let claimant = |row: ResourceRow| ClaimantBody {
            user_id: row.id.0,
            user_name: row
                .attributes
                .get("userName")
                .and_then(|n| n.as_str())
                .unwrap_or_default()
                .to_owned(),
            created_at: row.created,
            holds_name: holder.is_some_and(|stream| stream.id == row.id.0),
        };
        all.push(CollisionBody { name, users: rows.into_iter().map(claimant).collect() });
    }
    Ok(Json(all))
}
