//! The members of a group as they were, and an access review of it.

use super::moment::{again, moment};
use super::named;
use super::paging::{Listed, Page};
use super::stream::{Row, StreamError, answer};
use super::there;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use rollcall_contract::Problem;
use rollcall_contract::directory::ResourcePath;
use rollcall_contract::format::Format;
use rollcall_contract::members::{MemberBody, MemberQuery, MembersBody, ReviewQuery, ReviewRow};
use rollcall_contract::moment::Moment;
use rollcall_contract::time;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::scim::ResourceKind;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::audit::Reads;
use rollcall_door::callers::Auditor;
use rollcall_projections::directory::MemberKind;
use rollcall_projections::history::{PastMember, Reviewed};
use std::sync::Arc;

/// The name of a kind of member.
pub(super) fn kind_name(kind: MemberKind) -> &'static str {
    match kind {
        MemberKind::User => ResourceKind::User.name(),
        MemberKind::Group => ResourceKind::Group.name(),
    }
}

fn body(m: PastMember) -> MemberBody {
    MemberBody {
        id: m.id.0,
        kind: kind_name(m.kind).to_owned(),
        display: m.display,
        active: m.active,
        since: m.since,
    }
}

/// The members of a group as they were at a moment.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/groups/{id}/members",
    tag = "audit",
    params(ResourcePath, MemberQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = MembersBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn list(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<ResourcePath>,
    Query(query): Query<MemberQuery>,
) -> Result<Listed<MembersBody>, Refusal> {
    let organization = auditor.organization;
    there::directory(organization)?;
    let page = Page::of(&query, &format!("{organization} members {}", path.id))?;
    let (as_of, views) = match page.place() {
        None => moment(&app, organization, "as_of", query.as_of.as_deref()).await?,
        Some(_) => again(&app, organization, page.end(0)).await?,
    };
    let at = as_of.position;
    there::within("after", "position", query.after, at)?;
    let group = named::of_path(&views, organization, ResourceKind::Group, &path.id, at).await?;
    group_name(&views, organization, group, at).await?;
    let after = page.place().unwrap_or(query.after);
    let mut found = views.history.members(organization, group, at, after, page.fetch()).await?;
    let next = page.cut(&mut found, |m| m.place);
    let members = found.into_iter().map(body).collect();
    Ok(page.listed(MembersBody { as_of, members, next: None }, next, at))
}

/// The name of a group that was there, or 404.
async fn group_name(
    views: &Reads,
    organization: OrganizationId,
    group: ResourceId,
    at: u64,
) -> Result<String, Refusal> {
    let found = views.history.resource(organization, ResourceKind::Group, group, at).await?;
    let found = found.ok_or_else(|| {
        Refusal::not_found(format!("there was no group {group} at position {at}"))
    })?;
    Ok(found
        .attributes
        .get("displayName")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
        .to_owned())
}

impl Row for ReviewRow {
    const HEAD: &'static [&'static str] = &[
        "group_id",
        "group",
        "member_id",
        "type",
        "member",
        "active",
        "since",
        "position",
        "exchange",
        "run",
        "run_kind",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.group_id.to_string(),
            self.group.clone(),
            self.member_id.to_string(),
            self.kind.clone(),
            self.member.clone(),
            self.active.map(|a| a.to_string()).unwrap_or_default(),
            time::text(self.since),
            self.position.to_string(),
            self.exchange.map(|x| x.to_string()).unwrap_or_default(),
            self.run.map(|run| run.to_string()).unwrap_or_default(),
            self.run_kind.clone().unwrap_or_default(),
        ]
    }
}

/// An access review of a group: every member at a moment, since when, by which request, and in
/// which run.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/groups/{id}/review",
    tag = "audit",
    params(ResourcePath, ReviewQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, content(
            (Vec<ReviewRow> = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (String = "text/html"),
        )),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn review(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<ResourcePath>,
    Query(query): Query<ReviewQuery>,
) -> Result<Response, Refusal> {
    if query.format == Format::CloudEvents {
        return Err(Refusal::not_among("format", "cloudevents", ["json", "ndjson", "csv"]));
    }
    let organization = auditor.organization;
    there::directory(organization)?;
    let (Moment { position: at, .. }, views) =
        moment(&app, organization, "as_of", query.as_of.as_deref()).await?;
    let group = named::of_path(&views, organization, ResourceKind::Group, &path.id, at).await?;
    let name = group_name(&views, organization, group, at).await?;
    answer::<ReviewRow, _>(query.format, move |mut rows| async move {
        let mut after = 0;
        loop {
            let page = views
                .history
                .reviewed(organization, group, at, after, 500)
                .await
                .map_err(StreamError::broken)?;
            let Some(last) = page.last() else { return Ok(rows) };
            after = last.member.place;
            let exchanges = page.iter().filter_map(|reviewed| reviewed.began.exchange).collect();
            let runs =
                views.runs.of(organization, &exchanges).await.map_err(StreamError::broken)?;
            for Reviewed { member, began } in page {
                let run = began.exchange.and_then(|exchange| runs.get(&exchange));
                let row = ReviewRow {
                    group_id: group.0,
                    group: name.clone(),
                    member_id: member.id.0,
                    kind: kind_name(member.kind).to_owned(),
                    member: member.display,
                    active: member.active,
                    since: began.at,
                    position: began.position,
                    exchange: began.exchange.map(|x| x.0),
                    run: run.map(|(run, _)| run.0),
                    run_kind: run.map(|(_, kind)| kind.as_str().to_owned()),
                };
                rows.push(&row).await?;
            }
        }
    })
}
