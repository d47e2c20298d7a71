//! The identity provider on a socket: metadata, sign-in page, My Apps tile, logout.
//!
//! | address | what |
//! |---|---|
//! | `GET /{tenant}/federationmetadata/2007-06/federationmetadata.xml` | metadata |
//! | `GET`, `POST /{tenant}/saml2` | authentication and logout messages; `login_hint` of somebody known signs in at once |
//! | `POST /{tenant}/sign-in` with `user` | the form that posts the response to the application |
//! | `GET /{tenant}/tile` | starts at the identity provider, as a tile in My Apps does |
//! | `GET /{tenant}/sign-out?user=` | asks the application to sign somebody out |

use super::logout::LogoutMessage;
use super::page;
use super::provider::{IdentityProvider, Person};
use super::query::value;
use super::request::{AuthnRequest, RequestError};
use super::sign::SignError;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, LOCATION};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

const MAX_FORM: usize = 512 * 1024;

/// Where the server takes time and ids from.
#[derive(Clone)]
pub struct Ambient {
    /// The time.
    pub now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// A new id: `_` and a GUID, say.
    pub id: Arc<dyn Fn() -> String + Send + Sync>,
}

/// The identity provider behind a running server. Others may change it meanwhile: add keys, switch
/// encryption on, assign people.
#[derive(Clone)]
pub struct Shared {
    provider: Arc<Mutex<IdentityProvider>>,
    /// The last session of each user.
    sessions: Arc<Mutex<HashMap<String, String>>>,
    ambient: Ambient,
}

impl Shared {
    /// Shares a provider.
    pub fn new(provider: IdentityProvider, ambient: Ambient) -> Self {
        Self { provider: Arc::new(Mutex::new(provider)), sessions: Arc::default(), ambient }
    }

    /// Changes or reads the provider.
    pub fn with<T>(&self, work: impl FnOnce(&mut IdentityProvider) -> T) -> T {
        work(&mut self.provider.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn provider(&self) -> IdentityProvider {
        self.with(|p| p.clone())
    }
}

/// Serves until the listener fails or the future is dropped.
pub async fn serve(listener: TcpListener, shared: Shared) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = shared.clone();
                async move { Ok::<_, Infallible>(answer(&shared, request).await) }
            });
            // A browser that goes away is no news.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type Answer = Response<Full<Bytes>>;

fn respond(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    response
}

fn html(body: String) -> Answer {
    respond(StatusCode::OK, "text/html; charset=utf-8", body)
}

fn redirect(to: &str) -> Answer {
    let mut response = respond(StatusCode::FOUND, "text/plain", "");
    match to.parse() {
        Ok(location) => {
            response.headers_mut().insert(LOCATION, location);
            response
        }
        Err(_) => respond(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain",
            "the address cannot be a header",
        ),
    }
}

fn complain(error: &RequestError) -> Answer {
    respond(StatusCode::BAD_REQUEST, "text/html; charset=utf-8", page::complaint(error))
}

fn broken(error: &SignError) -> Answer {
    respond(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string())
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let provider = shared.provider();
    let Some(path) =
        parts.uri.path().strip_prefix(&format!("/{}/", provider.tenant_id)).map(str::to_owned)
    else {
        return respond(StatusCode::NOT_FOUND, "text/html; charset=utf-8", page::not_found());
    };
    let query = parts.uri.query().unwrap_or_default();
    let form = match parts.method {
        Method::POST => match Limited::new(body, MAX_FORM).collect().await {
            Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
            Err(_) => {
                return respond(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "text/plain",
                    "the form cannot be read",
                );
            }
        },
        _ => String::new(),
    };
    match (&parts.method, path.as_str()) {
        (&Method::GET, "federationmetadata/2007-06/federationmetadata.xml") => {
            match provider.metadata(&(shared.ambient.id)()) {
                Ok(document) => respond(StatusCode::OK, "application/samlmetadata+xml", document),
                Err(error) => broken(&error),
            }
        }
        (&Method::GET, "saml2") => match provider.read_logout(query) {
            Some(message) => logout(shared, &provider, message, query),
            None => sign_in_page(shared, &provider, provider.read_authn_request(query, true)),
        },
        (&Method::POST, "saml2") => {
            sign_in_page(shared, &provider, provider.read_authn_request(&form, false))
        }
        (&Method::POST, "sign-in") => sign_in(shared, &provider, &form),
        (&Method::GET, "tile") => html(page::pick(&provider, None)),
        (&Method::GET, "sign-out") => sign_out(shared, &provider, query),
        _ => respond(StatusCode::NOT_FOUND, "text/html; charset=utf-8", page::not_found()),
    }
}

fn sign_in_page(
    shared: &Shared,
    provider: &IdentityProvider,
    request: Result<AuthnRequest, RequestError>,
) -> Answer {
    let request = match request {
        Ok(request) => request,
        Err(error) => return complain(&error),
    };
    let expected = request.login_hint.as_deref().and_then(|hint| person(provider, hint));
    match expected.filter(|_| !request.force_authn) {
        Some(person) => token(
            shared,
            provider,
            person,
            Some(&request.id),
            Some(&request.acs_url),
            request.relay_state.as_deref(),
        ),
        None => html(page::pick(provider, Some(&request))),
    }
}

fn person<'a>(provider: &'a IdentityProvider, name: &str) -> Option<&'a Person> {
    provider.people.iter().find(|p| p.user_principal_name.eq_ignore_ascii_case(name))
}

fn sign_in(shared: &Shared, provider: &IdentityProvider, form: &str) -> Answer {
    let user = value(form, "user").unwrap_or_default();
    let Some(person) = person(provider, &user) else {
        return complain(&RequestError {
            code: 50_034,
            text: format!("The user account {user} does not exist in the directory."),
        });
    };
    let acs = value(form, "acs");
    if acs.as_ref().is_some_and(|acs| !provider.application.reply_urls.contains(acs)) {
        return complain(&RequestError {
            code: 50_011,
            text: "The reply URL does not match the configured ones.".to_owned(),
        });
    }
    token(
        shared,
        provider,
        person,
        value(form, "request").as_deref(),
        acs.as_deref(),
        value(form, "RelayState").as_deref(),
    )
}

fn token(
    shared: &Shared,
    provider: &IdentityProvider,
    person: &Person,
    request: Option<&str>,
    acs: Option<&str>,
    relay_state: Option<&str>,
) -> Answer {
    if person.unassigned {
        let text = "The signed in user is not assigned to a role for the application.".to_owned();
        return complain(&RequestError { code: 50_105, text });
    }
    let token =
        provider.token(person, request, acs, (shared.ambient.now)(), || (shared.ambient.id)());
    let mut sessions = shared.sessions.lock().unwrap_or_else(PoisonError::into_inner);
    sessions.insert(person.user_principal_name.clone(), token.session_index.clone());
    drop(sessions);
    match provider.issue(&token) {
        Ok(response) => html(page::post(&token.acs_url, &response, relay_state)),
        Err(error) => broken(&error),
    }
}

fn logout(
    shared: &Shared,
    provider: &IdentityProvider,
    message: LogoutMessage,
    query: &str,
) -> Answer {
    match message {
        LogoutMessage::Response { success, .. } => html(page::signed_out(success)),
        LogoutMessage::Request { id, .. } => {
            let relay_state = value(query, "RelayState");
            match provider.logout_response(
                &id,
                &(shared.ambient.id)(),
                (shared.ambient.now)(),
                relay_state.as_deref(),
            ) {
                Ok(Some(address)) => redirect(&address),
                Ok(None) => html(page::signed_out(true)),
                Err(error) => broken(&error),
            }
        }
    }
}

/// Single logout that begins here: the session is the last one of the user.
fn sign_out(shared: &Shared, provider: &IdentityProvider, query: &str) -> Answer {
    let user = value(query, "user").unwrap_or_default();
    let Some(person) = person(provider, &user) else {
        return complain(&RequestError {
            code: 50_034,
            text: format!("The user account {user} does not exist in the directory."),
        });
    };
    let session = shared
        .sessions
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(&person.user_principal_name);
    let Some(session) = session else { return html(page::signed_out(true)) };
    match provider.logout_request(
        person,
        &session,
        &(shared.ambient.id)(),
        (shared.ambient.now)(),
        None,
    ) {
        Ok(Some(address)) => redirect(&address),
        Ok(None) => html(page::signed_out(true)),
        Err(error) => broken(&error),
    }
}
