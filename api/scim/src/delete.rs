//! DELETE (RFC 7644 section 3.6).

use super::call::Call;
use super::reply::Reply;
use super::resource::Resource;
use super::write::{WriteCall, write};
use rollcall_domain::ids::ResourceId;
use rollcall_domain::scim::ScimError;

/// Removes a resource; its unique values are free at once.
pub async fn delete<A: Resource>(call: &mut Call, id: ResourceId) -> Result<Reply, ScimError> {
    let shape = Box::new(|_: &A, _, _| Ok(Reply::empty(204)));
    write(call, WriteCall { id, fresh: false, command: A::delete(), shape }).await
}
