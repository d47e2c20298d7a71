//! PUT (RFC 7644 section 3.5.1). Never creates.

use super::call::Call;
use super::patch::groups_of;
use super::reply::Reply;
use super::resource::{Resource, Shown, etag, location, render};
use super::write::{WriteCall, write};
use rollcall_domain::ids::ResourceId;
use rollcall_domain::scim::{ScimError, decode_resource, project};

/// Replaces a resource by the body.
pub async fn replace<A: Resource>(call: &mut Call, id: ResourceId) -> Result<Reply, ScimError> {
    let body = call.json()?;
    let limits = call.limits.clone();
    let decoded = decode_resource(A::RESOURCE, &body, &limits, &mut call.notes)?;
    let selection = call.query.selection(A::RESOURCE, &limits, &mut call.notes)?;
    let groups = groups_of(call, A::RESOURCE, id, selection.shows("groups")).await?;
    let base = call.app.scim_base.clone();
    let command = A::replace(decoded);
    let shown = Shown::of_command::<A>(call, id, &command, selection.shows("members")).await?;
    let shape = Box::new(move |state: &A, version, times| {
        let mut resource = render(&base, id, state, version, times, groups.clone(), &shown)?;
        project(A::RESOURCE, &mut resource, &selection.attributes, &selection.excluded);
        Ok(Reply::json(200, &resource)
            .with("location", location(&base, A::RESOURCE, id))
            .with("etag", etag(version)))
    });
    write(call, WriteCall { id, fresh: false, command, shape }).await
}
