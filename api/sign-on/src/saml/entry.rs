//! Where a browser comes in: the exchange is opened first and closed last, whatever happens.

use super::addresses::Addresses;
use super::call::{Call, too_many, unavailable};
use super::page::{Page, SCRIPT, STYLE};
use super::reply::Reply;
use super::visit::{Place, Visit};
use super::{SignOn, acs, login, logout, metadata, signed_in};
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{Method, Response};
use rollcall_domain::organization::SamlState;
use rollcall_door::exchange::{self, Kept, guarded, keep, measure, span, to_the_end, turn_away};
use rollcall_door::stopping::is_cut_off;
use rollcall_projections::organizations::OrganizationRow;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument as _;

/// A response with a few hundred attributes is far below; base64 and form encoding included.
const BODY_BYTES: usize = 512 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// `/saml/{organization}/{action}`, any method.
pub async fn entry(
    State(door): State<Arc<SignOn>>,
    Path((domain, action)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    let app = &door.app;
    let (parts, body) = request.into_parts();
    let visit = Visit::new(&app.engine, operation(&parts.method, &action), &parts);
    to_the_end(serve(door.clone(), visit, domain, body)).await
}

async fn serve(door: Arc<SignOn>, mut visit: Visit, domain: String, body: Body) -> Response<Body> {
    let app = &door.app;
    let Some(_guest) = app.strangers.guests.enter(visit.opened.from()) else {
        turn_away(visit.opened.protocol);
        return too_many(&visit).into_response(visit.opened.id);
    };
    let span = span(&visit.opened);
    let reply = guarded(carry_out(&door, &mut visit, &domain, body).instrument(span)).await;
    let mut reply = reply.unwrap_or_else(|| unavailable(&visit).told("a handler panicked"));
    let opened = &visit.opened;
    if let Err(error) = keep(&app.engine, &app.strangers, reply.kept, || reply.close(opened)).await
    {
        tracing::warn!(exchange = %opened.id, %error, "recording a visit failed");
        reply = unavailable(&visit);
    }
    measure(opened, reply.status);
    reply.into_response(opened.id)
}

fn operation(method: &Method, action: &str) -> &'static str {
    match (method, action) {
        (&Method::GET, "metadata") => "saml.metadata",
        (&Method::GET, "login") => "saml.login",
        (&Method::POST, "acs") => "saml.acs",
        (&Method::GET | &Method::POST, "logout") => "saml.logout",
        (&Method::GET, "page.css" | "page.js") => "saml.page",
        (&Method::GET, "signed-in") => "saml.signed-in",
        (_, "metadata" | "login" | "acs" | "logout" | "signed-in") => "saml.wrong-method",
        _ => "saml.unknown",
    }
}

async fn carry_out(door: &Arc<SignOn>, visit: &mut Visit, domain: &str, body: Body) -> Reply {
    let app = &door.app;
    if visit.opened.operation == "saml.page" {
        return drawn_with(&visit.opened.target);
    }
    let found = app.organizations.by_domain(domain).await;
    let organization = match found {
        Ok(Some(organization)) if visit.opened.operation != "saml.unknown" => organization,
        Ok(_) => return of_nobody(visit),
        Err(error) => return unavailable(visit).told(error.to_string()),
    };
    visit.opened.organization = organization.id;
    let sign_on = format!("{}/saml/{domain}/login", app.public_url.trim_end_matches('/'));
    visit.place = Some(Place { name: organization.name.clone(), sign_on });
    exchange::found(&visit.opened);
    // Of each source: a flood from one keeps nobody else from signing in.
    if !door.visits.admits((organization.id, visit.opened.from())) {
        turn_away(visit.opened.protocol);
        return too_many(visit);
    }
    if visit.opened.operation == "saml.wrong-method" {
        let text =
            "This address is for the identity provider: it sends the browser here with a form.";
        return Reply::page(
            405,
            &Page { title: "Not this way", text, code: Some("wrong-method"), asks: None },
            visit,
        )
        .beside_the_log();
    }
    let call = match prepare(door, visit, organization).await {
        Ok(call) => call,
        Err(reply) => return *reply,
    };
    match call.visit.opened.operation {
        "saml.acs" => match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, BODY_BYTES)).await {
            Ok(Ok(body)) => acs::acs(call, &body, visit).await,
            Ok(Err(error)) if is_cut_off(&error) => {
                unavailable(visit).told("the server is stopping")
            }
            _ => acs::unreadable(&call),
        },
        "saml.login" => login::login(&call),
        "saml.logout" => logout::logout(&call).await,
        "saml.metadata" => metadata::metadata(&call),
        _ => signed_in::signed_in(&call).await,
    }
}

/// What every visit needs: an organization that is switched on and set up.
async fn prepare(
    door: &Arc<SignOn>,
    visit: &Visit,
    organization: OrganizationRow,
) -> Result<Call, Box<Reply>> {
    let app = &door.app;
    let connection = match app.connections.of(organization.id).await {
        Ok(connection) => connection,
        Err(error) => return Err(Box::new(unavailable(visit).told(error.to_string()))),
    };
    let Some(connection) = connection.filter(|c| c.settings.idp.is_some()) else {
        let text = "Single sign-on is not set up for this organization yet.";
        let page = Page { title: "Not set up", text, code: Some("not-set-up"), asks: None };
        return Err(Box::new(Reply::page(404, &page, visit).beside_the_log()));
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
    let addresses =
        Addresses::of(&app.public_url, &organization.domain, &connection.settings.policy);
    match door.providers.of(&connection, &addresses, &app.deployment_key) {
        Ok(provider) => Ok(Call {
            app: app.clone(),
            door: door.clone(),
            visit: visit.clone(),
            organization,
            connection,
            addresses,
            provider,
        }),
        Err(error) => {
            tracing::error!(organization = %organization.id, %error, "single sign-on cannot work");
            Err(Box::new(unavailable(visit).told(error.to_string())))
        }
    }
}

/// What pages are drawn with: the same for everybody.
fn drawn_with(target: &str) -> Reply {
    let (media_type, body) = match target.ends_with(".css") {
        true => ("text/css; charset=utf-8", STYLE),
        false => ("text/javascript; charset=utf-8", SCRIPT),
    };
    Reply { kept: Kept::CountOnly, ..Reply::text(200, media_type, body.to_owned()) }
}

/// Somebody who names no organization.
fn of_nobody(visit: &Visit) -> Reply {
    let text = "There is no organization at this address.";
    let page = Page { title: "Not found", text, code: Some("not-found"), asks: None };
    Reply::page(404, &page, visit).beside_the_log()
}
