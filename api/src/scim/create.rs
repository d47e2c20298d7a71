//! POST to a resource endpoint (RFC 7644 section 3.3).

use super::call::Call;
use super::reply::Reply;
use super::resource::{Resource, Shown, etag, location, render};
use super::write::{WriteCall, write};
use rollcall_domain::ids::ResourceId;
use rollcall_domain::scim::{DecodedResource, ScimError, decode_resource, project};

/// Creates a resource from the body.
pub async fn create<A: Resource>(call: &mut Call) -> Result<Reply, ScimError> {
    let body = call.json()?;
    call.name_subject(A::RESOURCE, &body).await?;
    let limits = call.limits.clone();
    let decoded = decode_resource(A::RESOURCE, &body, &limits, &mut call.notes)?;
    let id = call.new_resource();
    create_as::<A>(call, id, decoded).await
}

/// Creates a resource under an id that was drawn for it.
pub async fn create_as<A: Resource>(call: &mut Call, id: ResourceId, decoded: DecodedResource) -> Result<Reply, ScimError> {
    let limits = call.limits.clone();
    let selection = call.query.selection(A::RESOURCE, &limits, &mut call.notes)?;
    let base = call.app.scim_base.clone();
    let command = A::create(decoded);
    let shown = Shown::of_command::<A>(call, id, &command, selection.shows("members")).await?;
    let shape = Box::new(move |state: &A, version, times| {
        let mut resource = render(&base, id, state, version, times, None, &shown)?;
        project(A::RESOURCE, &mut resource, &selection.attributes, &selection.excluded);
        Ok(Reply::json(201, &resource).with("location", location(&base, A::RESOURCE, id)).with("etag", etag(version)))
    });
    write(call, WriteCall { id, fresh: true, command, shape }).await
}
