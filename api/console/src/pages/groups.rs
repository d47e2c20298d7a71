//! Groups: the list, and one with its members as of any moment, and every stay.

use super::paging::{filled, next};
use super::past::{Picked, Seen, written};
use super::users::{StayRow, attributes, stay, stay_row, text};
use crate::picture::bars::{self, Bars};
use crate::signing::Reader;
use crate::trouble::Trouble;
use crate::view::{Frame, Name, Said, in_address, shown};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use rollcall_contract::directory::{ResourceBody, ResourcePath, ResourceQuery, ResourcesBody};
use rollcall_contract::members::{MemberQuery, MembersBody};
use rollcall_contract::memberships::{MembershipQuery, MembershipsBody};
use rollcall_contract::moment::AsOf;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::route;
use rollcall_door::App;
use serde::Deserialize;
use std::sync::Arc;

/// So many stays are drawn; the page says if there are more.
const DRAWN: usize = 200;

/// Which groups.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    search: Option<String>,
    #[serde(rename = "as-of")]
    as_of: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "groups.html")]
struct List {
    frame: Frame,
    rows: Vec<(String, Name)>,
    search: String,
    as_of: String,
    next: Option<String>,
}

/// The list.
pub async fn list(reader: Reader, Query(wanted): Query<Wanted>) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let (search, as_of) = (filled(&wanted.search), filled(&wanted.as_of));
    let query = ResourceQuery {
        as_of: as_of.as_deref().map(written),
        search: search.clone(),
        limit: Some(50),
        cursor: filled(&wanted.cursor),
        ..ResourceQuery::default()
    };
    let line = route::LIST_GROUPS.line(&OrganizationPath::of(slug.clone()), &query);
    let (body, cursor) = reader.asker().page::<ResourcesBody>(line).await?;
    let (search, as_of) = (search.unwrap_or_default(), as_of.unwrap_or_default());
    let moment = match as_of.as_str() {
        "" => String::new(),
        as_of => format!("?as-of={}", in_address(as_of)),
    };
    let rows = body.resources.iter().map(|group| {
        let href = format!("/o/{slug}/groups/{}{moment}", in_address(text(group, "id")));
        (href, Name::from(text(group, "displayName")))
    });
    let kept = [("search", search.as_str()), ("as-of", as_of.as_str())];
    let page = List {
        rows: rows.collect(),
        next: next(&format!("/o/{slug}/groups"), &kept, cursor.as_deref()),
        search,
        as_of,
        frame: reader.frame("Groups", "groups"),
    };
    Ok(shown(&page))
}

struct Member {
    href: String,
    name: Name,
    kind: String,
    active: Option<bool>,
}

#[derive(Template)]
#[template(path = "group.html")]
struct Show {
    frame: Frame,
    slug: String,
    path: String,
    id: String,
    name: Name,
    attributes: Vec<(String, Said)>,
    seen: Seen,
    members: Vec<Member>,
    more_members: bool,
    picture: Option<Bars>,
    stays: Vec<StayRow>,
    more: bool,
}

/// One group.
pub async fn show(
    reader: Reader,
    State(app): State<Arc<App>>,
    Path(path): Path<ResourcePath>,
    Query(picked): Query<Picked>,
) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let path = ResourcePath { organization: slug.clone(), ..path };
    let as_of = picked.moment();
    let asker = reader.asker();
    let body: ResourceBody =
        asker.ask(route::SHOW_GROUP.line(&path, &AsOf { as_of: as_of.clone() })).await?;
    let id = text(&body.resource, "id").to_owned();
    let here = format!("/o/{slug}/groups/{id}");
    let members =
        MemberQuery { as_of: as_of.clone(), limit: Some(DRAWN), ..MemberQuery::default() };
    let stays = MembershipQuery { as_of, limit: Some(DRAWN), ..MembershipQuery::default() };
    let (members, stays) = tokio::try_join!(
        asker.ask::<MembersBody>(route::LIST_MEMBERS.line(&path, &members)),
        asker.ask::<MembershipsBody>(route::LIST_GROUP_MEMBERSHIPS.line(&path, &stays)),
    )?;
    let seen = Seen::of(&picked, &body.as_of, &here);
    let moment = match seen.is_past() {
        true => format!("?as-of=position:{}", seen.position),
        false => String::new(),
    };
    let drawn: Vec<_> = stays.memberships.iter().map(|m| stay(&slug, m, true)).collect();
    let rows = members.members.iter().map(|member| {
        let place = if member.kind == "Group" { "groups" } else { "users" };
        Member {
            href: format!("/o/{slug}/{place}/{}{moment}", member.id),
            name: Name(member.display.clone()),
            kind: member.kind.clone(),
            active: member.active,
        }
    });
    let name = Name::from(text(&body.resource, "displayName"));
    let page = Show {
        attributes: attributes(&body.resource),
        members: rows.collect(),
        more_members: members.next.is_some(),
        picture: bars::draw(&drawn, seen.end(app.engine.clock.now())),
        stays: stays.memberships.iter().map(|m| stay_row(&slug, m, true)).collect(),
        more: stays.next.is_some(),
        seen,
        path: here,
        id,
        frame: reader.frame(name.plain(), "groups"),
        name,
        slug,
    };
    Ok(shown(&page))
}
