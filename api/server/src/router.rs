//! All routes.

use crate::gate::gate;
use crate::lingering::lingering;
use crate::outbound::Guarded;
use crate::well_formed::well_formed;
use crate::{health, openapi};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Version, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use metrics_exporter_prometheus::PrometheusHandle;
use rollcall_console::{Console, Streams};
use rollcall_contract::route;
use rollcall_door::{App, callers};
use rollcall_feed::Feed;
use rollcall_oauth::Oauth;
use rollcall_office::Office;
use rollcall_scim::Scim;
use rollcall_sign_on::{SignOn, saml};
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
    /// OAuth, for SCIM's clients.
    pub oauth: Arc<Oauth>,
    /// Single sign-on.
    pub sign_on: Arc<SignOn>,
    /// Administration and audit.
    pub office: Office,
    /// Where consumers wait for events.
    pub feed: Arc<Feed>,
    /// Whoever watches requests live.
    pub streams: Streams,
}

impl Doors {
    /// Opens all of them.
    pub fn new(app: &Arc<App>) -> Self {
        let sign_on = Arc::new(SignOn::new(app.clone()));
        let guard = match app.config.allow_private_webhooks {
            true => app.outbound.clone().and_everywhere(),
            false => app.outbound.clone(),
        };
        let feed = Arc::new(Feed::new(Arc::new(Guarded::new(guard))));
        Self {
            scim: Arc::new(Scim::new(app.clone())),
            oauth: Arc::new(Oauth::new(app.clone())),
            office: Office::new(sign_on.clone(), feed.clone()),
            sign_on,
            feed,
            streams: Streams::default(),
        }
    }
}

/// Everything the server answers. `metrics` renders `/metrics`, where they are counted.
pub fn router(app: &Arc<App>, doors: Doors, metrics: Option<PrometheusHandle>) -> Router {
    let Doors { scim, oauth, sign_on, office, streams, .. } = doors;
    let (api, document) = api().split_for_parts();
    let document: Arc<str> = openapi::render(&document).into();
    let rest = format!("{}/{{*{}}}", route::PREFIX, callers::REST);
    let root = format!("{}/", route::PREFIX);
    let api = api
        .route(route::PREFIX, any(rollcall_office::nothing))
        .route(&root, any(rollcall_office::nothing))
        .route(&rest, any(rollcall_office::nothing));
    let configuration = format!("{}{}", route::TRANSMITTER, route::SHOW_CONSUMER.template);
    let health = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .with_state(health::Health { app: app.clone(), metrics });
    let api = api.layer(from_fn_with_state(app.clone(), rollcall_office::entry));
    let console = Console::new(app.clone(), api.clone().with_state(office.clone()), streams);
    Router::new()
        .merge(api.with_state(office))
        .merge(rollcall_console::routes(console))
        .route(
            route::DESCRIPTION,
            get(move || async move {
                ([(header::CONTENT_TYPE, "application/json")], document.to_string())
            }),
        )
        .route(
            route::EVENT_SCHEMAS,
            get(|| async {
                let schemas = rollcall_domain::outbound::schemas();
                ([(header::CONTENT_TYPE, "application/schema+json")], schemas.to_string())
            }),
        )
        .merge(
            Router::new()
                .route("/saml/{organization}/{action}", any(saml::entry))
                .with_state(sign_on),
        )
        .merge(
            Router::new()
                .route(&configuration, get(rollcall_feed::configuration))
                .with_state(app.clone()),
        )
        .merge(health)
        .fallback(fallback)
        .with_state((scim, oauth))
        .layer(from_fn_with_state(app.clone(), gate))
        .layer(from_fn_with_state(app.clone(), farewell))
}

/// What comes over a wire is held to the rules of wires; what comes from memory is not.
pub fn on_the_wire(router: Router) -> Router {
    router.layer(from_fn(well_formed)).layer(from_fn(lingering))
}

/// Once the server was told to stop, each answer is the last on its connection (RFC 9112 section
/// 9.6): whoever asks again does so elsewhere. HTTP/2 says so by itself when it ends.
async fn farewell(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let is_http_1 = request.version() < Version::HTTP_2;
    let mut response = next.run(request).await;
    if is_http_1 && app.leaving.load(Ordering::SeqCst) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// SCIM takes any method and path below its prefix, doubled slashes included; so it has no routes
/// of its own but is found here. The token endpoint stands beside it.
async fn fallback(
    State((scim, oauth)): State<(Arc<Scim>, Arc<Oauth>)>,
    request: Request,
) -> Response {
    if rollcall_oauth::is_oauth(request.uri()) {
        return rollcall_oauth::entry(oauth, request).await;
    }
    if rollcall_scim::is_scim(request.uri()) || rollcall_scim::is_strayed(&request) {
        return rollcall_scim::entry(scim, request).await;
    }
    let scim = rollcall_door::SCIM_PREFIX;
    let administration = route::PREFIX;
    let said = format!(
        "there is nothing at this address: SCIM is at {scim}, the administration at {administration}\n"
    );
    (StatusCode::NOT_FOUND, said).into_response()
}
