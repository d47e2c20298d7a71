//! Bundles over HTTP.

mod export;
mod import;

use crate::Office;
use crate::entry::operation;
use rollcall_domain::exchange::Protocol;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of the bundles.
pub fn routes() -> OpenApiRouter<Office> {
    OpenApiRouter::new()
        .routes(operation(Protocol::Audit, "bundles.export", routes!(export::export)))
        .routes(operation(Protocol::Administration, "bundles.import", routes!(import::import)))
}
