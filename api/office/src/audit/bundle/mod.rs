//! Bundles over HTTP.

mod export;
mod import;

use crate::Office;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of the bundles.
pub fn routes() -> OpenApiRouter<Office> {
    OpenApiRouter::new().routes(routes!(export::export)).routes(routes!(import::import))
}
