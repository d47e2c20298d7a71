//! The ledger: what an auditor takes away, to hold the log against it later.

mod audit;
mod checkpoint;
mod consistency;
mod entries;
mod proof;
mod tiles;

pub use tiles::routes as tiles;

use super::audited;
use crate::Office;
use rollcall_door::Refusal;
use rollcall_evidence::grove::GroveError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of the ledger.
pub fn routes() -> OpenApiRouter<Office> {
    OpenApiRouter::new()
        .routes(audited("audit.ledger.checkpoint", routes!(checkpoint::checkpoint)))
        .routes(audited("audit.ledger.proof", routes!(proof::proof)))
        .routes(audited("audit.ledger.consistency", routes!(consistency::consistency)))
        .routes(audited("audit.ledger.entries", routes!(entries::entries)))
        .routes(audited("audit.ledger.audit", routes!(audit::audit)))
}

/// A proof that is not to be had.
fn refused(error: GroveError) -> Refusal {
    match error {
        GroveError::Plan(error) => Refusal::bad_request(error.to_string()),
        GroveError::Log(error) => error.into(),
        GroveError::Missing(_) => Refusal::unavailable(&error),
    }
}
