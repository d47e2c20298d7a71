//! All routes.

use crate::{health, openapi};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use metrics_exporter_prometheus::PrometheusHandle;
use rollcall_contract::route;
use rollcall_door::{App, callers};
use rollcall_office::Office;
use rollcall_scim::Scim;
use rollcall_sign_on::{SignOn, saml};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

/// The administration and audit API, with its description.
pub fn api() -> OpenApiRouter<Office> {
    let mut api = OpenApiRouter::with_openapi(openapi::document()).merge(rollcall_office::routes());
    openapi::complete(api.get_openapi_mut());
    api
}

/// The doors of one application.
#[derive(Clone)]
pub struct Doors {
    /// SCIM.
    pub scim: Arc<Scim>,
    /// Single sign-on.
    pub sign_on: Arc<SignOn>,
    /// Administration and audit.
    pub office: Office,
}

impl Doors {
    /// Opens all of them.
    pub fn new(app: &Arc<App>) -> Self {
        let sign_on = Arc::new(SignOn::new(app.clone()));
        Self {
            scim: Arc::new(Scim::new(app.clone())),
            office: Office::new(sign_on.clone()),
            sign_on,
        }
    }
}

/// Everything the server answers. `metrics` renders `/metrics`, where they are counted.
pub fn router(app: &Arc<App>, doors: Doors, metrics: Option<PrometheusHandle>) -> Router {
    let Doors { scim, sign_on, office } = doors;
    let (api, document) = api().split_for_parts();
    let document: Arc<str> = openapi::render(&document).into();
    let rest = format!("{}/{{*{}}}", route::PREFIX, callers::REST);
    let root = format!("{}/", route::PREFIX);
    let api = api
        .route(route::PREFIX, any(rollcall_office::nothing))
        .route(&root, any(rollcall_office::nothing))
        .route(&rest, any(rollcall_office::nothing));
    let health = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .with_state(health::Health { app: app.clone(), metrics });
    Router::new()
        .merge(
            api.layer(from_fn_with_state(app.clone(), rollcall_office::entry)).with_state(office),
        )
        .route(
            route::DESCRIPTION,
            get(move || async move {
                ([(header::CONTENT_TYPE, "application/json")], document.to_string())
            }),
        )
        .merge(
            Router::new()
                .route("/saml/{organization}/{action}", any(saml::entry))
                .with_state(sign_on),
        )
        .merge(health)
        .fallback(fallback)
        .with_state(scim)
}

/// SCIM takes any method and path below its prefix, doubled slashes included; so it has no routes
/// of its own but is found here.
async fn fallback(State(scim): State<Arc<Scim>>, request: Request) -> Response {
    if rollcall_scim::is_scim(request.uri()) {
        return rollcall_scim::entry(scim, request).await;
    }
    let scim = rollcall_door::SCIM_PREFIX;
    let administration = route::PREFIX;
    let said = format!(
        "there is nothing at this address: SCIM is at {scim}, the administration at {administration}\n"
    );
    (StatusCode::NOT_FOUND, said).into_response()
}
