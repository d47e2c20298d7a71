//! From a request to the file that carries it out.

use super::bulk::bulk;
use super::call::Call;
use super::dispatch::dispatch;
use super::reply::Reply;
use super::route::Operation;
use rollcall_domain::scim::ScimError;

/// Carries out one request: a single operation, or many of them at once.
pub async fn perform(call: &mut Call, operation: Operation) -> Result<Reply, ScimError> {
    match operation {
        Operation::Bulk => bulk(call).await,
        one => dispatch(call, one).await,
    }
}
