//! Users: the list, and one with everything that happened to them, as of any moment.

use super::paging::{filled, next};
use super::past::{Picked, Seen, written};
use crate::picture::bars::{self, Bars, Stay};
use crate::signing::Reader;
use crate::tell;
use crate::trouble::Trouble;
use crate::view::{Frame, Name, Said, When, in_address, shown};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use rollcall_contract::directory::{ResourceBody, ResourcePath, ResourceQuery, ResourcesBody};
use rollcall_contract::events::{EventBody, EventQuery};
use rollcall_contract::exchanges::{ExchangeQuery, ExchangeSummary};
use rollcall_contract::logins::{LoginBody, LoginQuery};
use rollcall_contract::memberships::{MembershipBody, MembershipQuery, MembershipsBody};
use rollcall_contract::moment::AsOf;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::route;
use rollcall_door::App;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// So much of each kind stands in one timeline; it says if there is more.
const ENTRIES: usize = 500;

/// Which users.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    search: Option<String>,
    #[serde(rename = "as-of")]
    as_of: Option<String>,
    cursor: Option<String>,
}

struct Row {
    href: String,
    name: Name,
    display: Name,
    active: bool,
}

#[derive(Template)]
#[template(path = "users.html")]
struct List {
    frame: Frame,
    rows: Vec<Row>,
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
    let line = route::LIST_USERS.line(&OrganizationPath::of(slug.clone()), &query);
    let (body, cursor) = reader.asker().page::<ResourcesBody>(line).await?;
    let (search, as_of) = (search.unwrap_or_default(), as_of.unwrap_or_default());
    let moment = match as_of.as_str() {
        "" => String::new(),
        as_of => format!("?as-of={}", in_address(as_of)),
    };
    let rows = body.resources.iter().map(|user| Row {
        href: format!("/o/{slug}/users/{}{moment}", in_address(text(user, "id"))),
        name: Name::from(text(user, "userName")),
        display: Name::from(text(user, "displayName")),
        active: user["active"] != Value::Bool(false),
    });
    let kept = [("search", search.as_str()), ("as-of", as_of.as_str())];
    let page = List {
        rows: rows.collect(),
        next: next(&format!("/o/{slug}/users"), &kept, cursor.as_deref()),
        search,
        as_of,
        frame: reader.frame("Users", "users"),
    };
    Ok(shown(&page))
}

/// A text of a resource.
pub fn text<'a>(resource: &'a Value, name: &str) -> &'a str {
    resource[name].as_str().unwrap_or_default()
}

/// Something that happened.
pub struct Entry {
    /// When.
    pub at: When,
    /// Its sign.
    pub glyph: &'static str,
    /// Its class in the style sheet.
    pub class: &'static str,
    /// What.
    pub what: String,
    /// By whom, or why.
    pub detail: Said,
    /// Where the request is that led to it.
    pub href: Option<String>,
}

#[derive(Template)]
#[template(path = "user.html")]
struct Show {
    frame: Frame,
    slug: String,
    path: String,
    id: String,
    name: Name,
    active: bool,
    attributes: Vec<(String, Said)>,
    groups: Vec<(String, Name)>,
    seen: Seen,
    picture: Option<Bars>,
    stays: Vec<StayRow>,
    entries: Vec<Entry>,
    more: bool,
}

/// A membership, for the table beside the picture.
pub struct StayRow {
    /// In what, or who.
    pub name: Name,
    /// Where that is shown.
    pub href: String,
    /// When it began.
    pub from: When,
    /// Where the request is by which it began.
    pub from_href: Option<String>,
    /// When it ended.
    pub to: Option<When>,
    /// Where the request is by which it ended.
    pub to_href: Option<String>,
}

/// One user.
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
        asker.ask(route::SHOW_USER.line(&path, &AsOf { as_of: as_of.clone() })).await?;
    let user = &body.resource;
    let id: Uuid = text(user, "id").parse().map_err(|_| Trouble::nothing())?;
    let here = format!("/o/{slug}/users/{id}");
    let memberships = MembershipQuery {
        as_of: as_of.clone(),
        limit: Some(ENTRIES),
        ..MembershipQuery::default()
    };
    let (stays, (entries, more)) = tokio::try_join!(
        asker.ask::<MembershipsBody>(route::LIST_USER_MEMBERSHIPS.line(&path, &memberships)),
        timeline(&reader, id, body.as_of.position),
    )?;
    let seen = Seen::of(&picked, &body.as_of, &here);
    let until = seen.end(app.engine.clock.now());
    let drawn: Vec<Stay> = stays.memberships.iter().map(|m| stay(&slug, m, false)).collect();
    let groups = user["groups"].as_array().into_iter().flatten().map(|group| {
        let href = format!("/o/{slug}/groups/{}", in_address(text(group, "value")));
        (href, Name::from(text(group, "display")))
    });
    let name = Name::from(text(user, "userName"));
    let page = Show {
        id: id.to_string(),
        active: user["active"] != Value::Bool(false),
        attributes: attributes(user),
        groups: groups.collect(),
        picture: bars::draw(&drawn, until),
        stays: stays.memberships.iter().map(|m| stay_row(&slug, m, false)).collect(),
        more: more || stays.next.is_some(),
        entries,
        seen,
        path: here,
        frame: reader.frame(name.plain(), "users"),
        name,
        slug,
    };
    Ok(shown(&page))
}

/// A membership as a bar: of groups in a user's picture, of members in a group's.
pub fn stay(slug: &str, m: &MembershipBody, of_member: bool) -> Stay {
    let (href, label) = other(slug, m, of_member);
    Stay { label, href, from: m.from.recorded_at, to: m.to.as_ref().map(|to| to.recorded_at) }
}

/// The same for the table.
pub fn stay_row(slug: &str, m: &MembershipBody, of_member: bool) -> StayRow {
    let (href, label) = other(slug, m, of_member);
    let request = |id: Option<Uuid>| id.map(|id| format!("/o/{slug}/requests/{id}"));
    StayRow {
        name: Name(label),
        href,
        from: When(m.from.recorded_at),
        from_href: request(m.from.exchange),
        to: m.to.as_ref().map(|to| When(to.recorded_at)),
        to_href: m.to.as_ref().and_then(|to| request(to.exchange)),
    }
}

fn other(slug: &str, m: &MembershipBody, of_member: bool) -> (String, String) {
    match of_member {
        false => (format!("/o/{slug}/groups/{}", m.group_id), m.group.clone()),
        true => {
            let place = if m.kind == "Group" { "groups" } else { "users" };
            (format!("/o/{slug}/{place}/{}", m.member_id), m.member.clone())
        }
    }
}

/// What a resource says of itself, but what stands elsewhere on the page: each part by its path.
pub fn attributes(resource: &Value) -> Vec<(String, Said)> {
    const ELSEWHERE: [&str; 7] =
        ["schemas", "id", "meta", "groups", "members", "userName", "active"];
    let mut all = Vec::new();
    for (name, value) in resource.as_object().into_iter().flatten() {
        if !ELSEWHERE.contains(&name.as_str()) {
            // Of an extension, its attributes; its URN is in none of them.
            flatten(if name.contains(':') { "" } else { name }, value, &mut all);
        }
    }
    all
}

fn flatten(path: &str, value: &Value, all: &mut Vec<(String, Said)>) {
    match value {
        Value::Object(parts) => {
            for (name, part) in parts {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, part, all);
            }
        }
        Value::Array(values) => {
            for value in values {
                match (value["value"].as_str(), value["type"].as_str()) {
                    (Some(text), Some(kind)) => {
                        all.push((format!("{path} ({kind})"), Said::from(text)));
                    }
                    (Some(text), None) => all.push((path.to_owned(), Said::from(text))),
                    _ => flatten(path, value, all),
                }
            }
        }
        Value::String(text) => all.push((path.to_owned(), Said::from(text.as_str()))),
        other => all.push((path.to_owned(), Said(other.to_string()))),
    }
}

/// Everything that happened to a resource up to a position, newest first, and whether there is
/// more than is shown.
async fn timeline(reader: &Reader, id: Uuid, until: u64) -> Result<(Vec<Entry>, bool), Trouble> {
    let slug = reader.slug();
    let of = OrganizationPath::of(slug.clone());
    let asker = reader.asker();
    let events = EventQuery {
        subject: Some(id),
        until: Some(until),
        limit: Some(ENTRIES),
        ..EventQuery::default()
    };
    let logins = LoginQuery { user: Some(id), limit: Some(ENTRIES), ..LoginQuery::default() };
    let refused = ExchangeQuery {
        subject: Some(id.to_string()),
        failed: true,
        limit: Some(100),
        ..ExchangeQuery::default()
    };
    let ((events, more), (logins, more_logins), (refused, more_refused)) = tokio::try_join!(
        asker.page::<Vec<EventBody>>(route::LIST_EVENTS.line(&of, &events)),
        asker.page::<Vec<LoginBody>>(route::LIST_LOGINS.line(&of, &logins)),
        asker.page::<Vec<ExchangeSummary>>(route::LIST_EXCHANGES.line(&of, &refused)),
    )?;
    let last = events.last().map(|event| event.recorded_at);
    let mut entries: Vec<Entry> = events.iter().map(|event| of_event(&slug, event)).collect();
    let logins =
        logins.iter().filter(|login| login.position <= until && login.outcome == "refused");
    entries.extend(logins.map(|login| Entry {
        at: When(login.at),
        glyph: "✕",
        class: "refused",
        what: "Sign-in refused".to_owned(),
        detail: Said(login.detail.clone().or(login.reason.clone()).unwrap_or_default()),
        href: login.exchange.map(|id| format!("/o/{slug}/requests/{id}")),
    }));
    let in_time = |at| last.is_none_or(|last| at <= last || until == u64::MAX);
    let refused = refused.iter().filter(|r| in_time(r.received_at));
    entries.extend(refused.map(|r| Entry {
        at: When(r.received_at),
        glyph: "!",
        class: "failed",
        what: format!("{} answered {}", r.operation, r.status),
        detail: Said(r.detail.clone().unwrap_or_default()),
        href: Some(format!("/o/{slug}/requests/{}", r.id)),
    }));
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    let more = more.is_some() || more_logins.is_some() || more_refused.is_some();
    Ok((entries, more))
}

/// An event as an entry. What it is called comes from its type; what changed from its payload.
pub fn of_event(slug: &str, event: &EventBody) -> Entry {
    let (glyph, class) = match event.event_type.as_str() {
        kind if kind.ends_with("Created") => ("+", "created"),
        kind if kind.ends_with("Deleted") => ("✕", "deleted"),
        kind if kind.ends_with("Deactivated") => ("○", "disabled"),
        kind if kind.ends_with("Activated") => ("●", "enabled"),
        kind if kind.ends_with("SignedIn") => ("→", "login"),
        kind if kind.ends_with("Refused") => ("✕", "refused"),
        kind if kind.ends_with("Ended") => ("←", "logout"),
        _ => ("✎", "changed"),
    };
    Entry {
        at: When(event.recorded_at),
        glyph,
        class,
        what: words(&event.event_type),
        detail: Said(changes(event)),
        href: event.exchange.map(|id| format!("/o/{slug}/requests/{id}")),
    }
}

/// `UserSignedIn` is "User signed in".
fn words(event_type: &str) -> String {
    let mut out = String::new();
    for c in event_type.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push(' ');
            out.extend(c.to_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

fn changes(event: &EventBody) -> String {
    let by = tell::actor(event.actor["kind"].as_str().unwrap_or_default());
    let short = |value: &Value| match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let each = event.payload["changes"].as_array().into_iter().flatten().map(|change| {
        let name = change["attribute"].as_str().unwrap_or_default();
        format!("{name}: {} → {}", short(&change["before"]), short(&change["after"]))
    });
    let each = each.collect::<Vec<_>>().join("; ");
    if each.is_empty() { by.to_owned() } else { format!("{by}: {each}") }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn events_read_as_words() {
        assert_eq!(words("UserSignedIn"), "User signed in");
        assert_eq!(words("GroupMembersAdded"), "Group members added");
    }
}
