//! Every time that somebody was in a group.

use super::guard::Auditor;
use super::members::kind_name;
use super::moment::{AsOf, Moment};
use super::paging;
use super::resources::ResourcePath;
use crate::admin::OrganizationPath;
use axum::Json;
use axum::extract::{Path, Query, State};
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_domain::ids::ResourceId;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_projections::history::{Membership, Side, Turn};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which memberships.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct MembershipQuery {
    /// Seen from an instant (RFC 3339), `position:N` or `run:ID`; from now, if absent.
    #[serde(rename = "asOf")]
    pub as_of: Option<String>,
    /// Where to go on: `next` of the page before.
    pub after: u64,
    /// At most so many; 100 if absent, 1000 at most.
    pub limit: Option<usize>,
}

/// An event that began or ended a membership.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TurnBody {
    /// Its position.
    pub position: u64,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Its name; a membership ends with a `GroupMembersRemoved` or a deletion.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The exchange that caused it.
    pub exchange: Option<Uuid>,
}

impl From<Turn> for TurnBody {
    fn from(t: Turn) -> Self {
        Self { position: t.position, recorded_at: t.at, event_type: t.event_type, exchange: t.exchange.map(|x| x.0) }
    }
}

/// One time that somebody was in a group.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MembershipBody {
    /// The group.
    pub group_id: Uuid,
    /// Its name when this began.
    pub group: String,
    /// The member.
    pub member_id: Uuid,
    /// `User` or `Group`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name when this began.
    pub member: String,
    /// By what it began.
    pub from: TurnBody,
    /// By what it ended; absent if it has not.
    pub to: Option<TurnBody>,
}

impl From<Membership> for MembershipBody {
    fn from(m: Membership) -> Self {
        Self {
            group_id: m.group.0,
            group: m.group_display,
            member_id: m.member.0,
            kind: kind_name(m.kind).to_owned(),
            member: m.member_display,
            from: m.began.into(),
            to: m.ended.map(TurnBody::from),
        }
    }
}

/// Memberships in the order in which they began.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MembershipsBody {
    /// The moment they are seen from.
    pub as_of: Moment,
    /// The memberships.
    pub memberships: Vec<MembershipBody>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Every time that somebody was in this group.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/groups/{id}/memberships", tag = "audit", params(OrganizationPath, ResourcePath, MembershipQuery), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = MembershipsBody), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn of_group(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<ResourcePath>,
    Query(query): Query<MembershipQuery>,
) -> Result<Json<MembershipsBody>, Refusal> {
    list(&app, &auditor, Side::Group(ResourceId(path.id)), query).await
}

/// Every time that this user was in a group, directly.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/users/{id}/memberships", tag = "audit", params(OrganizationPath, ResourcePath, MembershipQuery), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = MembershipsBody), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn of_user(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<ResourcePath>,
    Query(query): Query<MembershipQuery>,
) -> Result<Json<MembershipsBody>, Refusal> {
    list(&app, &auditor, Side::Member(ResourceId(path.id)), query).await
}

async fn list(app: &App, auditor: &Auditor, side: Side, query: MembershipQuery) -> Result<Json<MembershipsBody>, Refusal> {
    let as_of = AsOf { as_of: query.as_of }.find(app, auditor.organization).await?;
    let limit = paging::limit(query.limit);
    let found = app.history.memberships(auditor.organization, side, as_of.position, query.after, limit).await;
    let found = found?;
    let (Side::Group(id) | Side::Member(id)) = side;
    if found.is_empty() && !app.history.ever(auditor.organization, id).await? {
        return Err(Refusal::not_found(format!("there never was a user or group {id}")));
    }
    let next = paging::next(&found, limit, |m| m.place);
    Ok(Json(MembershipsBody { as_of, memberships: found.into_iter().map(MembershipBody::from).collect(), next }))
}
