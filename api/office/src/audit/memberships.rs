//! Every time that somebody was in a group.

use super::members::kind_name;
use super::moment::{again, moment};
use super::named;
use super::paging::{Listed, Page};
use super::there;
use axum::extract::{Path, Query, State};
use rollcall_contract::Problem;
use rollcall_contract::directory::ResourcePath;
use rollcall_contract::memberships::{MembershipBody, MembershipQuery, MembershipsBody, TurnBody};
use rollcall_domain::scim::ResourceKind;
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

/// As it is told.
pub(super) fn body(m: Membership) -> MembershipBody {
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
) -> Result<Listed<MembershipsBody>, Refusal> {
    list(&app, &auditor, ResourceKind::Group, &path.id, query).await
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
) -> Result<Listed<MembershipsBody>, Refusal> {
    list(&app, &auditor, ResourceKind::User, &path.id, query).await
}

async fn list(
    app: &App,
    auditor: &Auditor,
    kind: ResourceKind,
    called: &str,
    query: MembershipQuery,
) -> Result<Listed<MembershipsBody>, Refusal> {
    let organization = auditor.organization;
    there::directory(organization)?;
    let page = Page::of(&query, &format!("{organization} memberships {} {called}", kind.name()))?;
    let (as_of, views) = match page.place() {
        None => moment(app, organization, "as_of", query.as_of.as_deref()).await?,
        Some(_) => again(app, organization, page.end(0)).await?,
    };
    there::within("after", "position", query.after, as_of.position)?;
    let (at, after) = (as_of.position, page.place().unwrap_or(query.after));
    let id = named::of_path(&views, organization, kind, called, at).await?;
    let side = match kind {
        ResourceKind::Group => Side::Group(id),
        ResourceKind::User => Side::Member(id),
    };
    let found = views.history.memberships(organization, side, at, after, page.fetch()).await;
    let mut found = found?;
    let next = page.cut(&mut found, |m| m.place);
    let memberships = found.into_iter().map(body).collect();
    Ok(page.listed(MembershipsBody { as_of, memberships, next: None }, next, at))
}
