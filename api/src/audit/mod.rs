//! Audit: what was asked, what was answered, what happened.

mod events;
mod exchanges;
mod replay;
mod runs;

pub use events::EventBody;
pub use exchanges::{ExchangeBody, ExchangeSummary};
pub use replay::ReplayRequest;
pub use runs::{RhythmBody, RunBody};

use crate::state::App;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of the audit.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(events::list))
        .routes(routes!(exchanges::list))
        .routes(routes!(exchanges::show))
        .routes(routes!(runs::list))
        .routes(routes!(runs::show))
        .routes(routes!(runs::changes))
        .routes(routes!(runs::rhythm))
        .merge(replay::routes())
}
