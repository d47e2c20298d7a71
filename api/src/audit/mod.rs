//! Audit: what was asked, what was answered, what happened.

mod events;
mod exchanges;

pub use events::EventBody;
pub use exchanges::{ExchangeBody, ExchangeSummary};

use crate::state::App;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of the audit.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(events::list)).routes(routes!(exchanges::list)).routes(routes!(exchanges::show))
}
