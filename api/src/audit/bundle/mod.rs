//! Bundles over HTTP.

mod export;
mod import;

pub use export::BundleRequest;
pub use import::BundleImported;

use crate::state::App;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of the bundles.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(export::export)).routes(routes!(import::import))
}
