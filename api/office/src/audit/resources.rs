//! Users and groups as they were.

use super::moment::{again, moment};
use super::named;
use super::paging::{Listed, Page};
use super::there;
use axum::Json;
use axum::extract::{Path, Query, State};
use rollcall_contract::Problem;
use rollcall_contract::directory::{ResourceBody, ResourcePath, ResourceQuery, ResourcesBody};
use rollcall_contract::moment::AsOf;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::scim::ResourceKind;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::audit::Reads;
use rollcall_door::callers::Auditor;
use rollcall_projections::directory::{GroupRef, group_value, wire};
use serde_json::Value;
use std::sync::Arc;

/// Users as they were at a moment.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/users",
    tag = "audit",
    params(OrganizationPath, ResourceQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = ResourcesBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn users(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<ResourceQuery>,
) -> Result<Listed<ResourcesBody>, Refusal> {
    list(&app, auditor.organization, ResourceKind::User, query).await
}

/// Groups as they were at a moment.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/groups",
    tag = "audit",
    params(OrganizationPath, ResourceQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = ResourcesBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn groups(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<ResourceQuery>,
) -> Result<Listed<ResourcesBody>, Refusal> {
    list(&app, auditor.organization, ResourceKind::Group, query).await
}

/// A user with its groups as they were at a moment.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/users/{id}",
    tag = "audit",
    params(ResourcePath, AsOf),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = ResourceBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn user(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<ResourcePath>,
    Query(query): Query<AsOf>,
) -> Result<Json<ResourceBody>, Refusal> {
    show(&app, auditor.organization, ResourceKind::User, &path.id, query).await
}

/// A group without its members as it was at a moment.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/groups/{id}",
    tag = "audit",
    params(ResourcePath, AsOf),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = ResourceBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn group(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<ResourcePath>,
    Query(query): Query<AsOf>,
) -> Result<Json<ResourceBody>, Refusal> {
    show(&app, auditor.organization, ResourceKind::Group, &path.id, query).await
}

async fn list(
    app: &App,
    organization: OrganizationId,
    kind: ResourceKind,
    query: ResourceQuery,
) -> Result<Listed<ResourcesBody>, Refusal> {
    there::directory(organization)?;
    let page = Page::of(&query, &format!("{organization} {}", kind.name()))?;
    let (as_of, views) = match page.place() {
        None => moment(app, organization, "as_of", query.as_of.as_deref()).await?,
        Some(_) => again(app, organization, page.end(0)).await?,
    };
    there::within("after", "position", query.after, as_of.position)?;
    let (at, after) = (as_of.position, page.place().unwrap_or(query.after));
    let mut rows = match (query.name.as_deref(), query.search.as_deref()) {
        (Some(_), Some(_)) => {
            return Err(Refusal::parameter("search", "say a name, or what is to be in it"));
        }
        (None, Some(part)) => {
            let here = (after, page.fetch());
            named::containing(&views, organization, kind, part, at, here).await?
        }
        (name, None) => {
            let history = &views.history;
            history.resources(organization, kind, at, name, after, page.fetch()).await?
        }
    };
    let next = page.cut(&mut rows, |row| row.seq);
    let resources = rows.iter().map(|row| wire(kind, row, &app.scim_base, None, None)).collect();
    Ok(page.listed(ResourcesBody { as_of, resources, next: None }, next, at))
}

async fn show(
    app: &App,
    organization: OrganizationId,
    kind: ResourceKind,
    called: &str,
    query: AsOf,
) -> Result<Json<ResourceBody>, Refusal> {
    there::directory(organization)?;
    let (as_of, views) = moment(app, organization, "as_of", query.as_of.as_deref()).await?;
    let id = named::of_path(&views, organization, kind, called, as_of.position).await?;
    let resource = resource(app, &views, organization, kind, id, as_of.position).await?;
    let resource = resource.ok_or_else(|| {
        Refusal::not_found(format!(
            "there was no {} {id} at position {}",
            kind.name(),
            as_of.position
        ))
    })?;
    Ok(Json(ResourceBody { as_of, resource }))
}

/// A resource as SCIM showed it at a position.
pub async fn resource(
    app: &App,
    views: &Reads,
    organization: OrganizationId,
    kind: ResourceKind,
    id: ResourceId,
    at: u64,
) -> Result<Option<Value>, Refusal> {
    let unavailable = |e| Refusal::unavailable(&e);
    let Some(row) =
        views.history.resource(organization, kind, id, at).await.map_err(unavailable)?
    else {
        return Ok(None);
    };
    let groups = match kind {
        ResourceKind::Group => None,
        ResourceKind::User => {
            let groups =
                views.history.groups_of(organization, id, at).await.map_err(unavailable)?;
            Some(
                groups
                    .into_iter()
                    .map(|(id, display)| group_value(&GroupRef { id, display }, &app.scim_base))
                    .collect(),
            )
        }
    };
    Ok(Some(wire(kind, &row, &app.scim_base, groups, None)))
}
