//! Where a browser comes in: the exchange is opened first and closed last, whatever happens.

use super::addresses::Addresses;
use super::page::Page;
use super::reply::Reply;
use super::visit::Visit;
use super::{acs, login, logout, metadata, signed_in};
use crate::listen::is_cut_off;
use crate::state::App;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{Method, Response};
use futures::FutureExt;
use rollcall_domain::actor::Actor;
use rollcall_domain::organization::SamlState;
use rollcall_projections::organizations::OrganizationRow;
use rollcall_projections::saml::SamlConnection;
use rollcall_saml::ServiceProvider;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// A response with a few hundred attributes is far below; base64 and form encoding included.
const BODY_BYTES: usize = 512 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// One visit to an organization that is there and switched on.
pub struct Call {
    /// The application.
    pub app: Arc<App>,
    /// The exchange.
    pub visit: Visit,
    /// The organization.
    pub organization: OrganizationRow,
    /// Its connection.
    pub connection: SamlConnection,
    /// Its addresses.
    pub addresses: Addresses,
    /// Reads and writes its messages.
    pub provider: Arc<ServiceProvider>,
}

/// `/saml/{organization}/{action}`, any method.
pub async fn entry(State(app): State<Arc<App>>, Path((domain, action)): Path<(String, String)>, request: Request) -> Response<Body> {
    let id = app.engine.ids.exchange();
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0);
    let operation = operation(&parts.method, &action);
    let visit = Visit::new(id, app.engine.clock.now(), operation, &parts, peer);
    let Ok(permit) = app.in_flight.clone().try_acquire_owned() else {
        metrics::counter!("rollcall_overload_total").increment(1);
        return unavailable(&visit).into_response(id);
    };
    // Served to its end also when the browser goes away in the middle.
    let served = tokio::spawn(async move {
        let mut visit = visit;
        let guarded = AssertUnwindSafe(carry_out(&app, &mut visit, &domain, body)).catch_unwind().await;
        let mut reply = guarded.unwrap_or_else(|_| {
            metrics::counter!("rollcall_panics_total").increment(1);
            unavailable(&visit).told("a handler panicked")
        });
        if !reply.recorded
            && let Err(error) = app.engine.record(visit.close(Actor::Unauthenticated, &reply)).await
        {
            tracing::warn!(exchange = %visit.id, %error, "recording a visit failed");
            metrics::counter!("rollcall_unrecorded_exchanges_total").increment(1);
            reply = unavailable(&visit);
        }
        measure(&visit, &reply);
        drop(permit);
        reply.into_response(visit.id)
    });
    served.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a visit ended without an answer");
        Response::builder().status(503).header("retry-after", "30").body(Body::empty()).unwrap_or_default()
    })
}

fn operation(method: &Method, action: &str) -> &'static str {
    match (method, action) {
        (&Method::GET, "metadata") => "saml.metadata",
        (&Method::GET, "login") => "saml.login",
        (&Method::POST, "acs") => "saml.acs",
        (&Method::GET, "logout") => "saml.logout",
        (&Method::GET, "signed-in") => "saml.signed-in",
        (_, "metadata" | "login" | "acs" | "logout" | "signed-in") => "saml.wrong-method",
        _ => "saml.unknown",
    }
}

async fn carry_out(app: &Arc<App>, visit: &mut Visit, domain: &str, body: Body) -> Reply {
    let found = app.organizations.by_domain(domain).await;
    let organization = match found {
        Ok(Some(organization)) if visit.operation != "saml.unknown" => organization,
        Ok(_) => return of_nobody(app, visit),
        Err(error) => return unavailable(visit).told(error.to_string()),
    };
    visit.organization = organization.id;
    if !app.saml.visits.admits(organization.id) {
        return too_many(visit);
    }
    if visit.operation == "saml.wrong-method" {
        let text = "This address is for the identity provider: it sends the browser here with a form.";
        return Reply::page(405, &Page { title: "Not this way", text, code: Some("wrong-method") }, visit.id);
    }
    let call = match prepare(app, visit, organization).await {
        Ok(call) => call,
        Err(reply) => return *reply,
    };
    match call.visit.operation {
        "saml.acs" => match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, BODY_BYTES)).await {
            Ok(Ok(body)) => acs::acs(call, &body, visit).await,
            Ok(Err(error)) if is_cut_off(&error) => unavailable(visit).told("the server is stopping"),
            _ => acs::unreadable(call).await,
        },
        "saml.login" => login::login(&call),
        "saml.logout" => logout::logout(&call).await,
        "saml.metadata" => metadata::metadata(&call),
        _ => signed_in::signed_in(&call).await,
    }
}

/// What every visit needs: an organization that is switched on and set up.
async fn prepare(app: &Arc<App>, visit: &Visit, organization: OrganizationRow) -> Result<Call, Box<Reply>> {
    let connection = match app.saml.connections.of(organization.id).await {
        Ok(connection) => connection,
        Err(error) => return Err(Box::new(unavailable(visit).told(error.to_string()))),
    };
    let Some(connection) = connection.filter(|c| c.settings.idp.is_some()) else {
        let text = "Single sign-on is not set up for this organization yet.";
        return Err(Box::new(Reply::page(404, &Page { title: "Not set up", text, code: Some("not-set-up") }, visit.id)));
    };
    let off = if !organization.enabled {
        Some("the organization is switched off")
    } else if connection.settings.state != SamlState::Enabled {
        Some("single sign-on is switched off")
    } else if organization.stopped.is_some() {
        Some("the views of the organization have stopped")
    } else {
        None
    };
    if let Some(off) = off {
        return Err(Box::new(unavailable(visit).told(off)));
    }
    let addresses = Addresses::of(&app.public_url, &organization.domain);
    match app.saml.providers.of(&connection, &addresses, &app.deployment_key) {
        Ok(provider) => Ok(Call { app: app.clone(), visit: visit.clone(), organization, connection, addresses, provider }),
        Err(error) => {
            tracing::error!(organization = %organization.id, %error, "single sign-on cannot work");
            Err(Box::new(unavailable(visit).told(error.to_string())))
        }
    }
}

/// Somebody who names no organization; a stranger must not fill the disk.
fn of_nobody(app: &App, visit: &Visit) -> Reply {
    let text = "There is no organization at this address.";
    let mut reply = Reply::page(404, &Page { title: "Not found", text, code: Some("not-found") }, visit.id);
    if !app.strangers.admits() {
        metrics::counter!("rollcall_turned_away_total", "protocol" => "saml").increment(1);
        reply.recorded = true;
    }
    reply
}

/// The answer when something is switched off, or our own trouble.
pub fn unavailable(visit: &Visit) -> Reply {
    let text = "Sign-on is not available at the moment. Please try again in a few minutes.";
    Reply::page(503, &Page { title: "Not available", text, code: Some("unavailable") }, visit.id)
}

/// The answer to one visit too many. It is counted, not kept.
pub fn too_many(visit: &Visit) -> Reply {
    metrics::counter!("rollcall_turned_away_total", "protocol" => "saml").increment(1);
    let text = "Too many attempts at once. Please try again in a minute.";
    Reply { recorded: true, ..Reply::page(429, &Page { title: "Too many attempts", text, code: Some("too-many") }, visit.id) }
}

fn measure(visit: &Visit, reply: &Reply) {
    let (status, organization) = (reply.status.to_string(), visit.organization.to_string());
    metrics::counter!("rollcall_requests_total", "operation" => visit.operation, "status" => status, "organization" => organization)
        .increment(1);
    metrics::histogram!("rollcall_request_seconds", "operation" => visit.operation).record(visit.elapsed());
    tracing::debug!(exchange = %visit.id, operation = visit.operation, status = reply.status, "exchange closed");
}
