//! Every time that somebody was in a group.

use super::members::kind_name;
use super::moment::moment;
use super::paging;
use axum::Json;
use axum::extract::{Path, Query, State};
use rollcall_contract::Problem;
use rollcall_contract::directory::ResourcePath;
use rollcall_contract::memberships::{MembershipBody, MembershipQuery, MembershipsBody, TurnBody};
use rollcall_domain::ids::ResourceId;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::Auditor;
use rollcall_projections::history::{Membership, Side, Turn};
use std::sync::Arc;

fn turn(t: Turn) -> TurnBody {
    TurnBody {
        position: t.position,
        recorded_at: t.at,
        event_type: t.event_type,
        exchange: t.exchange.map(|x| x.0),
    }
}

fn body(m: Membership) -> MembershipBody {
    MembershipBody {
        group_id: m.group.0,
        group: m.group_display,
        member_id: m.member.0,
        kind: kind_name(m.kind).to_owned(),
        member: m.member_display,
        from: turn(m.began),
        to: m.ended.map(turn),
    }
}

/// Every time that somebody was in this group.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/groups/{id}/memberships",
    tag = "audit",
    params(ResourcePath, MembershipQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = MembershipsBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn of_group(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<ResourcePath>,
    Query(query): Query<MembershipQuery>,
) -> Result<Json<MembershipsBody>, Refusal> {
    list(&app, &auditor, Side::Group(ResourceId(path.id)), query).await
}

/// Every time that this user was in a group, directly.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/users/{id}/memberships",
    tag = "audit",
    params(ResourcePath, MembershipQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = MembershipsBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn of_user(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<ResourcePath>,
    Query(query): Query<MembershipQuery>,
) -> Result<Json<MembershipsBody>, Refusal> {
    list(&app, &auditor, Side::Member(ResourceId(path.id)), query).await
}

async fn list(
    app: &App,
    auditor: &Auditor,
    side: Side,
    query: MembershipQuery,
) -> Result<Json<MembershipsBody>, Refusal> {
    let (as_of, views) = moment(app, auditor.organization, query.as_of.as_deref()).await?;
    let limit = paging::limit(query.limit);
    let found = views
        .history
        .memberships(auditor.organization, side, as_of.position, query.after, limit)
        .await;
    let found = found?;
    let (Side::Group(id) | Side::Member(id)) = side;
    if found.is_empty() && !views.history.ever(auditor.organization, id).await? {
        return Err(Refusal::not_found(format!("there never was a user or group {id}")));
    }
    let next = paging::next(&found, limit, |m| m.place);
    Ok(Json(MembershipsBody { as_of, memberships: found.into_iter().map(body).collect(), next }))
}
