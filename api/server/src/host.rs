//! The whole application in process: every route of the server, on stores, at times and with ids
//! of the caller's choosing. Simulations and replays speak to it as a client would.

use crate::router::{Doors, router};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use rollcall_contract::organizations::{NewOrganization, OrganizationCreated, OrganizationPath};
use rollcall_contract::request_line::{Nothing, RequestLine, RouteError};
use rollcall_contract::tokens::{NewToken, TokenIssued};
use rollcall_contract::{Problem, route};
use rollcall_domain::ids::ExchangeId;
use rollcall_domain::sql::SqlError;
use rollcall_door::config::ServeConfig;
use rollcall_door::sealing::{DeploymentKey, WRAPPING, deployment_key_path};
use rollcall_door::strangers::Strangers;
use rollcall_door::{App, Settings};
use rollcall_engine::begin;
use rollcall_engine::clock::{Clock, ClockHand};
use rollcall_engine::ids::{Ids, Random};
use rollcall_engine::secrets;
use rollcall_projections::console::ConsoleStore;
use rollcall_projections::consumer_places::ConsumerPlaces;
use rollcall_projections::notices::Notices;
use rollcall_projections::reads::ReadTrail;
use rollcall_projections::session_uses::SessionUses;
use rollcall_projections::strangers::StrangerRing;
use rollcall_stores::{DeploymentWrap, Stores};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;
use tower::ServiceExt;

/// How an application in process begins.
pub struct HostSetup {
    /// Where log and views are.
    pub stores: Stores,
    /// Where random bytes come from.
    pub random: Random,
    /// What the clock shows until the first request arrives.
    pub start: DateTime<Utc>,
    /// Address under which clients believe to reach it.
    pub public_url: String,
    /// Opens the administration; drawn from `random`, if absent.
    pub operator_key: Option<String>,
    /// The configuration; see [`HostSetup::config`].
    pub config: ServeConfig,
}

impl HostSetup {
    /// The server's defaults without its limits by real time, for time is not real here.
    pub fn config() -> ServeConfig {
        ServeConfig { rate_limit: 0, ..ServeConfig::at(PathBuf::new()) }
    }
}

/// A request as it arrives.
#[derive(Clone, Debug, Default)]
pub struct HostRequest {
    /// When it arrives: what the clock shows until it is answered.
    pub at: DateTime<Utc>,
    /// HTTP method.
    pub method: String,
    /// Path and query, such as `/scim/v2/Users?count=1`.
    pub target: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The peer.
    pub peer: Option<SocketAddr>,
    /// The body.
    pub body: Bytes,
}

impl HostRequest {
    /// A request with a bearer token, without a body.
    pub fn new(at: DateTime<Utc>, method: &str, target: &str, token: &str) -> Self {
        let headers = vec![("authorization".to_owned(), format!("Bearer {token}"))];
        Self {
            at,
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            ..Self::default()
        }
    }

    /// The same with a body of this media type.
    pub fn with_body(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        self.headers.push(("content-type".to_owned(), media_type.to_owned()));
        self.body = body.into();
        self
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct HostAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The exchange it closed, if the request was one.
    pub exchange: Option<ExchangeId>,
    /// The body.
    pub body: Bytes,
}

/// Why the application in process did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// No HTTP request can look like this.
    #[error("this is no HTTP request: {0}")]
    NoRequest(#[from] axum::http::Error),
    /// The administration has no such address.
    #[error(transparent)]
    NoAddress(#[from] RouteError),
    /// The answer could not be read to its end.
    #[error("the answer broke off: {0}")]
    BrokenAnswer(#[from] axum::Error),
    /// What a stranger sent could not be kept.
    #[error(transparent)]
    NotKept(#[from] SqlError),
    /// The administration refused.
    #[error("{status}: {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its sentence.
        detail: String,
    },
    /// The administration answered what this version does not know.
    #[error("the administration's answer cannot be read: {0}")]
    StrangeAnswer(#[from] serde_json::Error),
}

/// What wraps the keys in a data folder that is made in process and served by a server later: of the
/// folder's deployment key, which is made if there is none.
///
/// # Errors
/// If the key cannot be read or made.
pub fn wrap_of_folder(data: &Path, ids: &Ids) -> anyhow::Result<DeploymentWrap> {
    let key = DeploymentKey::read_or_make(&deployment_key_path(data), ids)?;
    Ok(DeploymentWrap::new(key.derived(WRAPPING)))
}

/// The application in process. Requests are served one after another, in the order in which they
/// are handed in, so that the same requests at the same times give the same log.
pub struct Host {
    app: Arc<App>,
    router: Router,
    /// Moves the clock; held while a request is served.
    hand: Mutex<ClockHand>,
    operator_key: String,
    _stores: Stores,
}

impl Host {
    /// Begins.
    pub async fn open(setup: HostSetup) -> anyhow::Result<Self> {
        let HostSetup { stores, random, start, public_url, operator_key, config } = setup;
        let (clock, hand) = Clock::by_hand(start);
        let ids = Ids::new(clock.clone(), random);
        let operator_key = operator_key.unwrap_or_else(|| ids.secret(secrets::OPERATOR_PREFIX));
        let engine = begin::engine(&stores.log, &stores.live, clock, ids).await?;
        let audit = begin::audit(&stores.log, &stores.audit).await?;
        // Nobody sweeps here.
        if audit.is_outdated() {
            audit.rebuild().await?;
        }
        let ring = StrangerRing::open(stores.side.clone(), stores.log.clone()).await?;
        let (requests, most) = (config.max_in_flight, config.stranger_connections);
        let strangers = Strangers::new(requests, most, ring, false);
        let settings = Settings {
            places: ConsumerPlaces::open(stores.side.clone()).await?,
            session_uses: SessionUses::open(stores.side.clone()).await?,
            console: ConsoleStore::open(stores.side.clone()).await?,
            reads: ReadTrail::open(stores.side.clone()).await?,
            notices: Notices::open(stores.side.clone()).await?,
            config,
            public_url,
            deployment_key: DeploymentKey::derived_from(&operator_key),
            operator_key: operator_key.clone(),
            shared: stores.shared,
            strangers,
        };
        let app = Arc::new(App::new(engine, audit, settings));
        let router = router(&app, Doors::new(&app), None);
        Ok(Self { app, router, hand: Mutex::new(hand), operator_key, _stores: stores })
    }

    /// What is behind the routes, for whoever reads log and views directly.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Opens the administration.
    pub fn operator_key(&self) -> &str {
        &self.operator_key
    }

    /// Serves one request to its end.
    pub async fn handle(&self, request: HostRequest) -> Result<HostAnswer, HostError> {
        let HostRequest { at, method, target, headers, peer, body } = request;
        let mut builder = Request::builder().method(method.as_str()).uri(target);
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        let mut request = builder.body(Body::from(body))?;
        if let Some(peer) = peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        let hand = self.hand.lock().await;
        hand.set(at);
        let (parts, body) = self.respond(request).await.into_parts();
        let body = to_bytes(body, usize::MAX).await?;
        self.app.strangers.evidence.flush().await?;
        drop(hand);
        let text = |value: &axum::http::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let exchange = parts
            .headers
            .get("exchange-id")
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.parse().ok());
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect();
        Ok(HostAnswer { status: parts.status.as_u16(), headers, exchange, body })
    }

    /// Serves a request of any length, and gives the answer as it begins. For whoever asks one
    /// thing at a time: the clock shows what it showed last.
    pub async fn respond(&self, request: Request<Body>) -> Response<Body> {
        // A router is always ready and never fails.
        let Ok(response) = self.router.clone().oneshot(request).await;
        response
    }

    /// Creates an organization, as the operator would.
    pub async fn create_organization(
        &self,
        at: DateTime<Utc>,
        name: &str,
        domain: &str,
    ) -> Result<OrganizationCreated, HostError> {
        let new = NewOrganization { name: name.to_owned(), domain: domain.to_owned() };
        self.administer(
            at,
            &route::CREATE_ORGANIZATION.line(&Nothing, &Nothing)?,
            &serde_json::to_value(new)?,
        )
        .await
    }

    /// Issues a SCIM token; this enables SCIM.
    pub async fn issue_token(
        &self,
        at: DateTime<Utc>,
        organization: &str,
        label: &str,
    ) -> Result<TokenIssued, HostError> {
        let new = NewToken { label: label.to_owned(), expires_at: None };
        self.administer(
            at,
            &route::ISSUE_TOKEN.line(&OrganizationPath::of(organization), &Nothing)?,
            &serde_json::to_value(new)?,
        )
        .await
    }

    /// Any other call of the administration; null stands for no body.
    pub async fn administer<T: DeserializeOwned>(
        &self,
        at: DateTime<Utc>,
        line: &RequestLine,
        body: &Value,
    ) -> Result<T, HostError> {
        let request = HostRequest::new(at, line.method.as_str(), &line.target, &self.operator_key);
        let request = if body.is_null() {
            request
        } else {
            request.with_body("application/json", body.to_string())
        };
        let answer = self.handle(request).await?;
        if answer.status >= 300 {
            let problem = serde_json::from_slice::<Problem>(&answer.body);
            let detail =
                problem.map_or_else(|_| "no reason given".to_owned(), |problem| problem.detail);
            return Err(HostError::Refused { status: answer.status, detail });
        }
        // An answer without a body is read as null.
        Ok(serde_json::from_slice(if answer.body.is_empty() { b"null" } else { &answer.body })?)
    }
}
