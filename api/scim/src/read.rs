//! GET of one resource (RFC 7644 section 3.4.1).

use super::call::Call;
use super::failure;
use super::reply::Reply;
use super::resource::{etag, location};
use super::route::not_found;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::scim::{ResourceKind, ScimError, project};

/// Shows a resource.
pub async fn read(call: &mut Call, kind: ResourceKind, id: ResourceId) -> Result<Reply, ScimError> {
    let limits = call.limits.clone();
    let selection = call.query.selection(kind, &limits, &mut call.notes)?;
    let (directory, organization) = (&call.app.directory, call.opened.organization);
    let (found, references) = match kind {
        ResourceKind::User => (directory.user(organization, id).await, "groups"),
        ResourceKind::Group => (directory.group(organization, id).await, "members"),
    };
    let found = found
        .map_err(|e| failure::unavailable("read", &e))?
        .ok_or_else(|| not_found(kind, &id.to_string()))?;
    if call.conditions.unchanged(found.version) {
        return Ok(Reply::empty(304).with("etag", etag(found.version)).about(id));
    }
    if call.conditions.mismatch(found.version) {
        return Err(ScimError::precondition_failed(
            "the resource has another version than If-Match says".to_owned(),
        ));
    }
    let version = found.version;
    let rendered = directory
        .render(organization, kind, &[found], &call.app.scim_base, selection.shows(references))
        .await;
    let mut rendered = rendered.map_err(|e| failure::unavailable("read", &e))?;
    let mut resource = rendered
        .pop()
        .ok_or_else(|| failure::damaged("a resource that was found cannot be shown"))?;
    project(kind, &mut resource, &selection.attributes, &selection.excluded);
    let reply = Reply::of_any_length(200, resource).await?.with("etag", etag(version));
    Ok(reply.with("content-location", location(&call.app.scim_base, kind, id)).about(id))
}
