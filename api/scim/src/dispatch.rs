//! From an operation to the file that does it.

use super::call::Call;
use super::reply::Reply;
use super::route::Operation;
use super::{create, delete, discovery, list, patch, read, replace};
use rollcall_domain::group::Group;
use rollcall_domain::scim::{ResourceKind, ScimError};
use rollcall_domain::user::User;

/// Carries out one operation on resources.
pub async fn dispatch(call: &mut Call, operation: Operation) -> Result<Reply, ScimError> {
    use ResourceKind::{Group as G, User as U};
    match operation {
        Operation::Create(U) => create::create::<User>(call).await,
        Operation::Create(G) => create::create::<Group>(call).await,
        Operation::Replace(U, id) => replace::replace::<User>(call, id).await,
        Operation::Replace(G, id) => replace::replace::<Group>(call, id).await,
        Operation::Patch(U, id) => patch::patch::<User>(call, id).await,
        Operation::Patch(G, id) => patch::patch::<Group>(call, id).await,
        Operation::Delete(U, id) => delete::delete::<User>(call, id).await,
        Operation::Delete(G, id) => delete::delete::<Group>(call, id).await,
        Operation::Read(kind, id) => read::read(call, kind, id).await,
        Operation::List(kind) => list::list(call, kind).await,
        Operation::Search(kind) => list::search(call, kind).await,
        Operation::Bulk => Err(ScimError::invalid_value("a bulk request holds no bulk requests")),
        Operation::Me => Err(ScimError::not_implemented(
            "/Me is not supported: a SCIM token stands for an organization, not for a user",
        )),
        Operation::ServiceProviderConfig => discovery::service_provider_config(call).await,
        Operation::Schemas(id) => discovery::schemas(call, id.as_deref()),
        Operation::ResourceTypes(name) => discovery::resource_types(call, name.as_deref()),
    }
}
