//! PATCH (RFC 7644 section 3.5.2), in every dialect.

use super::call::Call;
use super::failure;
use super::reply::Reply;
use super::resource::{Resource, Shown, etag, location, render};
use super::write::{WriteCall, write};
use rollcall_domain::ids::ResourceId;
use rollcall_domain::scim::{
    ResourceKind, ScimError, asserts, check_asserted, decode_patch, project,
};
use serde_json::Value;

/// Changes what the body names. A user is shown as it is then; a group is not, for Entra wants 204
/// and no members, unless the caller names attributes.
pub async fn patch<A: Resource>(call: &mut Call, id: ResourceId) -> Result<Reply, ScimError> {
    let body = call.json()?;
    let limits = call.limits.clone();
    let mut intents = decode_patch(A::RESOURCE, &body, &limits, &mut call.notes)?;
    if asserts(&intents)
        && let Some(resource) = as_read(call, A::RESOURCE, id).await?
    {
        check_asserted(&mut intents, &resource, &mut call.notes)?;
    }
    let selection = call.query.selection(A::RESOURCE, &limits, &mut call.notes)?;
    let shown = A::RESOURCE == ResourceKind::User || !selection.attributes.is_empty();
    let groups = groups_of(call, A::RESOURCE, id, shown && selection.shows("groups")).await?;
    let base = call.app.scim_base.clone();
    let command = A::change(intents);
    let wanted = !selection.attributes.is_empty() && selection.shows("members");
    let members = Shown::of_command::<A>(call, id, &command, wanted).await?;
    let shape = Box::new(move |state: &A, version, times| {
        if !shown {
            return Ok(Reply::empty(204).with("etag", etag(version)));
        }
        let mut resource = render(&base, id, state, version, times, groups.clone(), &members)?;
        project(A::RESOURCE, &mut resource, &selection.attributes, &selection.excluded);
        Ok(Reply::json(200, &resource)
            .with("location", location(&base, A::RESOURCE, id))
            .with("etag", etag(version)))
    });
    write(call, WriteCall { id, fresh: false, command, shape }).await
}

/// The whole resource as a reader sees it, if it is there.
async fn as_read(
    call: &Call,
    kind: ResourceKind,
    id: ResourceId,
) -> Result<Option<Value>, ScimError> {
    let (directory, organization) = (&call.app.directory, call.opened.organization);
    let away = |e| failure::unavailable("read", &e);
    let found = match kind {
        ResourceKind::User => directory.user(organization, id).await.map_err(away)?,
        ResourceKind::Group => directory.group(organization, id).await.map_err(away)?,
    };
    let found: Vec<_> = found.into_iter().collect();
    let rendered = directory.render(organization, kind, &found, &call.app.scim_base, true).await;
    Ok(rendered.map_err(away)?.pop())
}

/// The groups a user is in, for the answer.
pub async fn groups_of(
    call: &Call,
    kind: ResourceKind,
    id: ResourceId,
    wanted: bool,
) -> Result<Option<Vec<Value>>, ScimError> {
    if kind != ResourceKind::User || !wanted {
        return Ok(None);
    }
    let found =
        call.app.directory.groups_on_wire(call.opened.organization, id, &call.app.scim_base).await;
    found.map(Some).map_err(|e| failure::unavailable("groups of a user", &e))
}
