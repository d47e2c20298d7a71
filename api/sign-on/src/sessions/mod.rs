//! Sessions, as the application asks for them: `GET /api/v1/session`.

mod check;
mod show;

pub use check::{Checked, check};

use axum::extract::FromRef;
use rollcall_door::App;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes for the holder of a session.
pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S>
where
    Arc<App>: FromRef<S>,
{
    OpenApiRouter::new().routes(routes!(show::show))
}
