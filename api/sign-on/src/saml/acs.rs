//! The assertion consumer service: from a posted form to a session, or to a page that says why not.

use super::admit::{Landing, admit, count, page};
use super::again::again;
use super::call::Call;
use super::refresh;
use super::reply::Reply;
use super::visit::Visit;
use crate::cookies::{Asking, Pending};
use axum::http::header;
use rollcall_domain::login::{Attempt, Initiator};
use rollcall_domain::saml::{Assertion, Reason, Refusal};
use rollcall_door::exchange::KeptBody;
use rollcall_door::nul;
use rollcall_door::strangers::parts;
use rollcall_engine::secrets::sha256_hex;
use rollcall_saml::{Expected, ServiceProvider};
use serde_json::json;
use std::sync::Arc;
use url::form_urlencoded;

/// What the form holds.
#[derive(Debug, Default)]
struct Form {
    response: String,
    relay_state: Option<String>,
}

/// POST `/saml/{organization}/acs`.
pub async fn acs(mut call: Call, body: &[u8], visit: &mut Visit) -> Reply {
    let form = read_form(&call, body);
    let response = form.as_ref().map(|f| f.response.as_str()).unwrap_or_default();
    let message_sha256 = sha256_hex(response);
    // The message itself could be used again elsewhere, and says more than is needed: its hash
    // tells an auditor which one it was, and the event what it said.
    let relay_state = form.as_ref().ok().and_then(|f| f.relay_state.as_deref());
    let kept = json!({ "SAMLResponse": { "sha256": message_sha256, "bytes": response.len() }, "RelayState": relay_state.map(parts::cut) });
    visit.opened.kept_body =
        Some(KeptBody { text: kept.to_string(), redactions: vec!["SAMLResponse".to_owned()] });
    call.visit = visit.clone();
    let mut attempt = attempt(&call, message_sha256);
    let form = match form {
        Ok(form) => form,
        Err(refusal) => return refused(&call, &refusal),
    };
    let (headers, key, now) =
        (&call.visit.headers, &call.app.deployment_key, call.app.engine.clock.now());
    let pending = Pending::of(headers, key, call.organization.id, Asking::Login, now);
    let relay_state = form.relay_state.as_deref();
    if let Some(reply) = again(&call, &attempt.message_sha256, &pending, relay_state).await {
        return reply;
    }
    let requests: Vec<String> = pending.iter().map(|p| p.request.clone()).collect();
    match verify(&call, form.response, requests).await {
        Ok(assertion) => {
            let answered =
                pending.into_iter().find(|p| Some(&p.request) == assertion.in_response_to.as_ref());
            attempt.initiated_by = Some(if assertion.in_response_to.is_some() {
                Initiator::ServiceProvider
            } else {
                Initiator::IdentityProvider
            });
            attempt.request.clone_from(&assertion.in_response_to);
            attempt.asserted = Some((&assertion).into());
            let landing = Landing::choose(&call, answered, form.relay_state.as_deref());
            admit(&call, assertion, attempt, landing).await
        }
        Err(refusal) => refused(&call, &refusal),
    }
}

/// The body was too long, or did not arrive.
pub fn unreadable(call: &Call) -> Reply {
    let told = "the body is longer than 512 KiB, or did not arrive in 30 seconds";
    refused(call, &Refusal::new(Reason::TooLarge, told))
}

fn attempt(call: &Call, message_sha256: String) -> Attempt {
    let source = call.visit.opened.source.clone().map(Into::into);
    Attempt { message_sha256, initiated_by: None, request: None, source, asserted: None }
}

/// A message that cannot be trusted. Nobody is known to have sent it, and anybody may send it as
/// often as they like: it is kept with the evidence of strangers, and is no event.
fn refused(call: &Call, refusal: &Refusal) -> Reply {
    let (code, advice) = (refusal.reason.code(), refusal.reason.advice());
    count(call, 403, code);
    page(&call.visit, code, advice)
        .told(refusal.to_string())
        .untrusted(refusal.reason)
        .beside_the_log()
}

fn read_form(call: &Call, body: &[u8]) -> Result<Form, Refusal> {
    let wrong = |detail: &str| Refusal::new(Reason::UnexpectedDocument, detail);
    let content_type = call
        .visit
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(wrong("the body is no HTML form"));
    }
    if nul::in_encoded(body) {
        return Err(wrong("there is a NUL character in the form"));
    }
    let (mut response, mut relay_state) = (None, None);
    for (name, value) in form_urlencoded::parse(body) {
        let field = match &*name {
            "SAMLResponse" => &mut response,
            "RelayState" => &mut relay_state,
            _ => continue,
        };
        if field.replace(value.into_owned()).is_some() {
            return Err(wrong("a field of the form is there twice"));
        }
    }
    let response =
        response.filter(|r| !r.is_empty()).ok_or_else(|| wrong("the form has no SAMLResponse"))?;
    Ok(Form { response, relay_state: relay_state.filter(|r| !r.is_empty()) })
}

/// Verifies a response; once more with fresh metadata if it was signed with a key that is not
/// known. An encrypted assertion does not let anybody see whose key signed it, so it may be the
/// same.
async fn verify(
    call: &Call,
    response: String,
    requests: Vec<String>,
) -> Result<Assertion, Refusal> {
    let response: Arc<str> = response.into();
    let first = read(call, call.provider.clone(), response.clone(), requests.clone()).await;
    match first {
        Err(refusal) if matches!(refusal.reason, Reason::UnknownKey | Reason::Decryption) => {
            match refresh::after_unknown_key(call).await {
                Some(provider) => read(call, provider, response, requests).await,
                None => Err(refusal),
            }
        }
        outcome => outcome,
    }
}

/// Work for the processor: on a thread that may block, and not on more of them than there are
/// cores.
async fn read(
    call: &Call,
    provider: Arc<ServiceProvider>,
    response: Arc<str>,
    requests: Vec<String>,
) -> Result<Assertion, Refusal> {
    let internal = || Refusal::new(Reason::Internal, "the message could not be read to its end");
    let _turn = call.door.turns.acquire().await.map_err(|_| internal())?;
    let now = call.app.engine.clock.now();
    let read = tokio::task::spawn_blocking(move || {
        let requests: Vec<&str> = requests.iter().map(String::as_str).collect();
        provider.read_response(&response, Expected { now, requests: &requests })
    });
    read.await.unwrap_or_else(|_| Err(internal()))
}
