//! Sessions, as the application asks for them: `GET /api/v1/session`.

mod show;

use axum::extract::FromRef;
use rollcall_door::App;
use std::sync::Arc;
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

/// The route for the holder of a session.
pub fn route<S: Clone + Send + Sync + 'static>() -> UtoipaMethodRouter<S>
where
    Arc<App>: FromRef<S>,
{
    routes!(show::show)
}
