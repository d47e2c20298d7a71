//! Users and groups by what people call them.

use rollcall_domain::fold_text::fold_text;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::Position;
use rollcall_domain::scim::{Attributes, ResourceKind};
use rollcall_door::Refusal;
use rollcall_door::audit::Reads;
use rollcall_projections::directory::ResourceRow;
use serde_json::Value;

/// So many are looked at in one step.
const PAGE: usize = 1_000;
/// So many names are suggested.
const SUGGESTED: usize = 10;

/// Finds a user or group by its id, its name at a position, a mail address or an external id then,
/// or else by a name that it ever had.
///
/// # Errors
/// 404 if there is none, with names like it; 400 if there are several.
pub async fn find(
    views: &Reads,
    organization: OrganizationId,
    kind: ResourceKind,
    parameter: &str,
    called: &str,
    at: Position,
) -> Result<ResourceId, Refusal> {
    if let Ok(id) = called.parse::<uuid::Uuid>() {
        let id = ResourceId(id);
        if views.history.ever(organization, id).await? {
            return Ok(id);
        }
        return Err(Refusal::not_found(format!("there never was a user or group {id}")));
    }
    let named = views.history.resources(organization, kind, at, Some(called), 0, 2).await?;
    let mut found: Vec<ResourceId> = named.iter().map(|row| row.id).collect();
    let mut like = Vec::new();
    if found.is_empty() {
        (found, like) = search(views, organization, kind, called, at).await?;
    }
    if found.is_empty() {
        found = views.history.ever_named(organization, kind, called).await?;
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let mut refusal = Refusal::not_found(match like.as_slice() {
                [] => format!("there is no {parameter} {called:?}, and never was"),
                like => format!("there is no {parameter} {called:?}; like it: {}", like.join(", ")),
            });
            refusal.0.allowed = like;
            Err(refusal)
        }
        several => {
            let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
            let mut refusal = Refusal::parameter(
                parameter,
                format!("{called:?} is more than one: say which, by its id: {}", ids.join(", ")),
            );
            refusal.0.allowed = ids;
            Err(refusal)
        }
    }
}

/// The user or group in a path.
///
/// # Errors
/// As [`find`].
pub async fn of_path(
    views: &Reads,
    organization: OrganizationId,
    kind: ResourceKind,
    called: &str,
    at: Position,
) -> Result<ResourceId, Refusal> {
    let parameter = match kind {
        ResourceKind::User => "user",
        ResourceKind::Group => "group",
    };
    find(views, organization, kind, parameter, called, at).await
}

/// Those with this mail address or external id; and names of which it is a part.
async fn search(
    views: &Reads,
    organization: OrganizationId,
    kind: ResourceKind,
    called: &str,
    at: Position,
) -> Result<(Vec<ResourceId>, Vec<String>), Refusal> {
    let (wanted, mut after) = (fold_text(called), 0);
    let (mut found, mut like) = (Vec::new(), Vec::new());
    loop {
        let page = views.history.resources(organization, kind, at, None, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok((found, like)) };
        after = last.seq;
        for row in &page {
            let is_it = text(&row.attributes, "externalId") == Some(called)
                || mails(&row.attributes).any(|mail| fold_text(mail) == wanted);
            if is_it {
                found.push(row.id);
            }
            let mut names =
                ["userName", "displayName"].into_iter().filter_map(|n| text(&row.attributes, n));
            if let Some(name) = names.find(|name| fold_text(name).contains(&wanted))
                && like.len() < SUGGESTED
            {
                like.push(name.to_owned());
            }
        }
    }
}

/// Those that have a text in a name, a mail address or their external id, after a place.
///
/// # Errors
/// If the views cannot be read.
pub async fn containing(
    views: &Reads,
    organization: OrganizationId,
    kind: ResourceKind,
    part: &str,
    at: Position,
    (mut after, limit): (u64, usize),
) -> Result<Vec<ResourceRow>, Refusal> {
    let (wanted, mut found) = (fold_text(part), Vec::new());
    while found.len() < limit {
        let page = views.history.resources(organization, kind, at, None, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        found.extend(page.into_iter().filter(|row| {
            let names = ["userName", "displayName", "externalId"];
            let names = names.into_iter().filter_map(|name| text(&row.attributes, name));
            names.chain(mails(&row.attributes)).any(|name| fold_text(name).contains(&wanted))
        }));
    }
    found.truncate(limit);
    Ok(found)
}

/// An attribute with one text.
pub fn text<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.get(name).and_then(Value::as_str)
}

/// The mail addresses, the primary one first.
pub fn mails(attributes: &Attributes) -> impl Iterator<Item = &str> {
    let all = attributes.get("emails").and_then(Value::as_array).into_iter().flatten();
    let mut all: Vec<&Value> = all.collect();
    all.sort_by_key(|mail| mail["primary"] != true);
    all.into_iter().filter_map(|mail| mail["value"].as_str())
}
