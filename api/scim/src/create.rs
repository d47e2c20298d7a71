//! POST to a resource endpoint (RFC 7644 section 3.3).

use super::call::Call;
use super::reply::Reply;
use super::resource::{Resource, Shown, etag, location, render};
use super::write::{WriteCall, write};
use chrono::TimeDelta;
use rollcall_domain::failure::Cause;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::scim::{DecodedResource, ResourceKind, ScimError, decode_resource, project};

/// A create that repeats one is sent so soon after it: Entra sends twice within a second, and a
/// client that had no answer comes back within minutes.
const REPEATED_WITHIN: TimeDelta = TimeDelta::minutes(10);

/// Creates a resource from the body.
pub async fn create<A: Resource>(call: &mut Call) -> Result<Reply, ScimError> {
    let body = call.json()?;
    let limits = call.limits.clone();
    let decoded = decode_resource(A::RESOURCE, &body, &limits, &mut call.notes)?;
    let id = call.new_resource();
    create_as::<A>(call, id, decoded).await
}

/// Creates a resource under an id that was drawn for it.
pub async fn create_as<A: Resource>(
    call: &mut Call,
    id: ResourceId,
    decoded: DecodedResource,
) -> Result<Reply, ScimError> {
    let limits = call.limits.clone();
    let selection = call.query.selection(A::RESOURCE, &limits, &mut call.notes)?;
    let base = call.app.scim_base.clone();
    let wanted = decoded.clone();
    let command = A::create(decoded);
    let shown = Shown::of_command::<A>(call, id, &command, selection.shows("members")).await?;
    let shape = Box::new(move |state: &A, version, times| {
        let mut resource = render(&base, id, state, version, times, None, &shown)?;
        project(A::RESOURCE, &mut resource, &selection.attributes, &selection.excluded);
        Ok(Reply::json(201, &resource)
            .with("location", location(&base, A::RESOURCE, id))
            .with("etag", etag(version)))
    });
    match write(call, WriteCall { id, fresh: true, command, shape }).await {
        Err(error) if is_repeated(call, A::RESOURCE, &wanted, error.holder).await => {
            Err(error.because(Cause::Duplicate))
        }
        done => done,
    }
}

/// Whether what is refused as taken has just been created as this asks. What cannot be read is no
/// repetition.
async fn is_repeated(
    call: &Call,
    kind: ResourceKind,
    wanted: &DecodedResource,
    holder: Option<ResourceId>,
) -> bool {
    let Some(holder) = holder else { return false };
    let (directory, organization) = (&call.app.directory, call.opened.organization);
    let found = match kind {
        ResourceKind::User => directory.user(organization, holder).await,
        ResourceKind::Group => directory.group(organization, holder).await,
    };
    let Ok(Some(found)) = found else { return false };
    let no_members = wanted.members.as_ref().is_none_or(Vec::is_empty);
    let age = call.app.engine.clock.now() - found.created;
    no_members
        && age <= REPEATED_WITHIN
        && wanted.attributes.iter().all(|(name, value)| found.attributes.get(name) == Some(value))
}
