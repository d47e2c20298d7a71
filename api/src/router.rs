//! All routes.

use crate::state::App;
use crate::{admin, audit, health, openapi, saml, scim, sessions};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

/// The administration and audit API, with its description.
pub fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::document()).merge(admin::routes()).merge(audit::routes()).merge(sessions::routes())
}

/// Everything the server answers.
pub fn router(app: Arc<App>) -> Router {
    let (api, document) = api().split_for_parts();
    let document: Arc<str> = openapi::render(&document).into();
    Router::new()
        .merge(api.layer(from_fn_with_state(app.clone(), audit::keep_reads)))
        .route("/api/v1/openapi.json", get(move || async move { ([(header::CONTENT_TYPE, "application/json")], document.to_string()) }))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/saml/{organization}/{action}", any(saml::entry))
        .fallback(fallback)
        .with_state(app)
}

/// SCIM takes any method and path below its prefix, doubled slashes included; so it has no routes
/// of its own but is found here.
async fn fallback(State(app): State<Arc<App>>, request: Request) -> Response {
    if scim::is_scim(request.uri()) {
        return scim::entry(app, request).await;
    }
    (StatusCode::NOT_FOUND, "there is nothing at this address: SCIM is at /scim/v2, the administration at /api/v1\n").into_response()
}
