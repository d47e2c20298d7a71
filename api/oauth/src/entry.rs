//! Where a client comes in: the exchange is opened first and closed last, whatever happens.

use crate::client::find;
use crate::endpoint::Endpoint;
use crate::form::{Form, GRANT};
use crate::metadata;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::room::Oauth;
use crate::token::issue;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Method, Response};
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::TokenRequest;
use rollcall_domain::exchange::Protocol;
use rollcall_domain::ids::{OrganizationId, TokenId};
use rollcall_door::exchange::{
    Kept, KeptBody, Opened, found, guarded, keep, measure, span, to_the_end, turn_away,
};
use rollcall_door::standing;
use rollcall_door::strangers::Place;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument as _;

/// An assertion is at most a quarter of it.
const BODY_BYTES: usize = 64 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves one request to its end, also when the client goes away in the middle.
pub async fn entry(oauth: Arc<Oauth>, request: Request) -> Response<Body> {
    to_the_end(serve(oauth, request)).await
}

async fn serve(oauth: Arc<Oauth>, request: Request) -> Response<Body> {
    let app = &oauth.app;
    let (parts, body) = request.into_parts();
    // The router has asked for it before.
    let endpoint = Endpoint::at(parts.uri.path()).unwrap_or(Endpoint::Token(None));
    let mut opened = Opened::new(&app.engine, Protocol::Oauth, endpoint.operation(), &parts);
    // Whoever asks has shown nothing so far.
    let Some(_guest) = app.strangers.guests.enter(opened.from()) else {
        turn_away(opened.protocol);
        let refusal = Refusal::too_many(5, "too many requests at once");
        return Reply::refused(refusal, opened.id).into_response(opened.id);
    };
    let mut asked = TokenRequest::default();
    let span = span(&opened);
    let work = carry_out(&oauth, endpoint, &parts, body, &mut opened, &mut asked);
    let outcome = guarded(work.instrument(span)).await;
    let outcome = outcome.unwrap_or_else(|| Err(Refusal::unavailable("a handler panicked")));
    let mut reply = outcome.unwrap_or_else(|refusal| Reply::refused(refusal, opened.id));
    if reply.status == 405 {
        reply = reply.allowing(endpoint.allowed());
    }
    if opened.caller == Actor::Unauthenticated {
        opened.shorten();
        // Who named no client is a stranger, and so is what is wrong with the request; and whoever
        // guesses too often for one that is there.
        let of_client = asked.client.is_some() && reply.status != 429;
        if !of_client && (400..500).contains(&reply.status) && reply.kept == Kept::Record {
            reply.kept = Kept::Ring;
        }
    } else if let Some(place) = parts.extensions.get::<Place>() {
        place.known();
    }
    let asked = matches!(endpoint, Endpoint::Token(_)).then_some(&asked);
    if let Err(error) =
        keep(&app.engine, &app.strangers, reply.kept, || reply.close(&opened, asked)).await
    {
        tracing::warn!(exchange = %opened.id, %error, "recording a token request failed");
        reply = Reply::refused(Refusal::unavailable("the log cannot be written"), opened.id);
    }
    measure(&opened, reply.status);
    reply.into_response(opened.id)
}

async fn carry_out(
    oauth: &Oauth,
    endpoint: Endpoint,
    parts: &Parts,
    body: Body,
    opened: &mut Opened,
    asked: &mut TokenRequest,
) -> Result<Reply, Refusal> {
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    match endpoint {
        Endpoint::ServerMetadata if is_read => Ok(Reply::document(&metadata::server(&oauth.app))),
        Endpoint::ResourceMetadata if is_read => {
            Ok(Reply::document(&metadata::resource(&oauth.app)))
        }
        Endpoint::Token(within) if parts.method == Method::POST => {
            token(oauth, within, parts, body, opened, asked).await
        }
        _ => Err(Refusal::wrong_method()),
    }
}

async fn token(
    oauth: &Oauth,
    within: Option<OrganizationId>,
    parts: &Parts,
    body: Body,
    opened: &mut Opened,
    asked: &mut TokenRequest,
) -> Result<Reply, Refusal> {
    let app = &oauth.app;
    // What cannot be read is not kept: a secret may stand anywhere in it.
    let nothing = "the whole body: it is no form".to_owned();
    opened.kept_body = Some(KeptBody { text: String::new(), redactions: vec![nothing] });
    let form = Form::read(&parts.headers, &read(oauth, body).await?)?;
    let (text, redactions) = form.kept();
    opened.kept_body = Some(KeptBody { text, redactions });
    match form.get("grant_type") {
        Some(GRANT) => {}
        None => return Err(Refusal::invalid_request("grant_type is missing")),
        Some(_) => return Err(Refusal::unsupported_grant_type("only client_credentials")),
    }
    let claimed = form.claimed(&parts.headers)?;
    let named = find(oauth, &claimed, within).await?;
    (asked.client, opened.organization) = (Some(named.id()), named.organization.id);
    found(opened);
    let endpoints =
        [app.issuer().to_owned(), app.token_url(), app.token_url_of(named.organization.id)];
    let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    let now = app.engine.clock.now();
    let client = named.authenticate(oauth, claimed, &endpoints, asked, now).await?;
    // The id of a credential is that of the token before there were others.
    opened.caller = Actor::ScimToken { token: TokenId(client.credential.id.0) };
    if let Some(off) = standing(&client.organization) {
        return Err(Refusal::switched_off(&off.to_string()));
    }
    let issued = issue(oauth, &client, form.get("scope"), now)?;
    Ok(Reply::token(&issued))
}

async fn read(oauth: &Oauth, body: Body) -> Result<axum::body::Bytes, Refusal> {
    let busy = || Refusal::unavailable("too many token requests are being read");
    let _room = oauth.bodies.try_acquire().map_err(|_| busy())?;
    match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, BODY_BYTES)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Refusal::invalid_request("the body is too long, or broke off")),
        Err(_) => Err(Refusal::invalid_request("the body did not arrive in time")),
    }
}
