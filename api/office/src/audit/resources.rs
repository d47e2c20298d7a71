//! Users and groups as they were.

use super::guard::Auditor;
use super::moment::{AsOf, Moment};
use super::paging;
use crate::admin::OrganizationPath;
use axum::Json;
use axum::extract::{Path, Query, State};
use rollcall_contract::Problem;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::scim::ResourceKind;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_projections::directory::{GroupRef, group_value, wire};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which users or groups.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ResourceQuery {
    /// An instant (RFC 3339), `position:N` or `run:ID`; now, if absent.
    #[serde(rename = "asOf")]
    pub as_of: Option<String>,
    /// Only those with this `userName` or, for groups, `displayName`; upper and lower case are the same.
    pub name: Option<String>,
    /// Where to go on: `next` of the page before.
    pub after: u64,
    /// At most so many; 100 if absent, 1000 at most.
    pub limit: Option<usize>,
}

/// Users or groups at a moment, in the order in which they were created.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ResourcesBody {
    /// The moment.
    pub as_of: Moment,
    /// SCIM resources, without a user's groups and a group's members.
    pub resources: Vec<Value>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// One user or group at a moment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ResourceBody {
    /// The moment.
    pub as_of: Moment,
    /// The SCIM resource: a user with its groups, a group without its members.
    pub resource: Value,
}

/// The resource in a path.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ResourcePath {
    /// Id of the user or group.
    pub id: Uuid,
}

/// Users as they were at a moment.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/users", tag = "audit", params(OrganizationPath, ResourceQuery), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = ResourcesBody), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn users(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<ResourceQuery>,
) -> Result<Json<ResourcesBody>, Refusal> {
    list(&app, auditor.organization, ResourceKind::User, query).await
}

/// Groups as they were at a moment.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/groups", tag = "audit", params(OrganizationPath, ResourceQuery), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = ResourcesBody), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn groups(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<ResourceQuery>,
) -> Result<Json<ResourcesBody>, Refusal> {
    list(&app, auditor.organization, ResourceKind::Group, query).await
}

/// A user with its groups as they were at a moment.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/users/{id}", tag = "audit", params(OrganizationPath, ResourcePath, AsOf), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = ResourceBody), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn user(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<ResourcePath>,
    Query(query): Query<AsOf>,
) -> Result<Json<ResourceBody>, Refusal> {
    show(&app, auditor.organization, ResourceKind::User, ResourceId(path.id), query).await
}

/// A group without its members as it was at a moment.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/groups/{id}", tag = "audit", params(OrganizationPath, ResourcePath, AsOf), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = ResourceBody), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn group(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<ResourcePath>,
    Query(query): Query<AsOf>,
) -> Result<Json<ResourceBody>, Refusal> {
    show(&app, auditor.organization, ResourceKind::Group, ResourceId(path.id), query).await
}

async fn list(app: &App, organization: OrganizationId, kind: ResourceKind, query: ResourceQuery) -> Result<Json<ResourcesBody>, Refusal> {
    let as_of = AsOf { as_of: query.as_of }.find(app, organization).await?;
    let limit = paging::limit(query.limit);
    let rows = app.history.resources(organization, kind, as_of.position, query.name.as_deref(), query.after, limit).await;
    let rows = rows?;
    let next = paging::next(&rows, limit, |row| row.seq);
    let resources = rows.iter().map(|row| wire(kind, row, &app.scim_base, None, None)).collect();
    Ok(Json(ResourcesBody { as_of, resources, next }))
}

async fn show(
    app: &App,
    organization: OrganizationId,
    kind: ResourceKind,
    id: ResourceId,
    query: AsOf,
) -> Result<Json<ResourceBody>, Refusal> {
    let as_of = query.find(app, organization).await?;
    let resource = resource(app, organization, kind, id, as_of.position).await?;
    let resource =
        resource.ok_or_else(|| Refusal::not_found(format!("there was no {} {id} at position {}", kind.name(), as_of.position)))?;
    Ok(Json(ResourceBody { as_of, resource }))
}

/// A resource as SCIM showed it at a position.
pub async fn resource(
    app: &App,
    organization: OrganizationId,
    kind: ResourceKind,
    id: ResourceId,
    at: u64,
) -> Result<Option<Value>, Refusal> {
    let unavailable = |e| Refusal::unavailable(&e);
    let Some(row) = app.history.resource(organization, kind, id, at).await.map_err(unavailable)? else { return Ok(None) };
    let groups = match kind {
        ResourceKind::Group => None,
        ResourceKind::User => {
            let groups = app.history.groups_of(organization, id, at).await.map_err(unavailable)?;
            Some(groups.into_iter().map(|(id, display)| group_value(&GroupRef { id, display }, &app.scim_base)).collect())
        }
    };
    Ok(Some(wire(kind, &row, &app.scim_base, groups, None)))
}
