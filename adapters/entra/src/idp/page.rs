//! The pages that a browser sees: whom to sign in, and the form that carries the answer.

use super::provider::IdentityProvider;
use super::request::{AuthnRequest, RequestError};
use super::token::escaped;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

fn page(title: &str, body: &str) -> String {
    format!(
        concat!(
            r#"<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{t}</title></head>"#,
            "<body><main><h1>{t}</h1>{b}</main></body></html>\n",
        ),
        t = escaped(title),
        b = body
    )
}

/// Asks who it is. Without a request it is a tile in My Apps.
pub(super) fn pick(provider: &IdentityProvider, request: Option<&AuthnRequest>) -> String {
    let hidden = |name: &str, value: &str| {
        format!(r#"<input type="hidden" name="{name}" value="{}">"#, escaped(value))
    };
    let mut fields = String::new();
    if let Some(request) = request {
        fields.push_str(&hidden("request", &request.id));
        fields.push_str(&hidden("acs", &request.acs_url));
        if let Some(relay_state) = &request.relay_state {
            fields.push_str(&hidden("RelayState", relay_state));
        }
    }
    let mut people = String::new();
    for person in &provider.people {
        let _ = write!(
            people,
            r#"<p><button name="user" value="{}">{} ({})</button></p>"#,
            escaped(&person.user_principal_name),
            escaped(&person.display_name),
            escaped(&person.user_principal_name)
        );
    }
    let action = format!("/{}/sign-in", escaped(&provider.tenant_id));
    page(
        "Pick an account",
        &format!(r#"<form method="post" action="{action}">{fields}{people}</form>"#),
    )
}

/// Posts the response on.
pub(super) fn post(acs_url: &str, response_xml: &str, relay_state: Option<&str>) -> String {
    let relay_state = relay_state
        .map(|r| format!(r#"<input type="hidden" name="RelayState" value="{}">"#, escaped(r)))
        .unwrap_or_default();
    let form = format!(
        concat!(
            r#"<form method="post" action="{}"><input type="hidden" name="SAMLResponse" value="{}">{}"#,
            "<button>Continue</button></form><script>document.forms[0].submit()</script>",
        ),
        escaped(acs_url),
        STANDARD.encode(response_xml),
        relay_state
    );
    page("Working...", &form)
}

/// What Entra shows when it does not go on.
pub(super) fn complaint(error: &RequestError) -> String {
    page(
        "Sorry, but we're having trouble signing you in.",
        &format!("<p>{}</p>", escaped(&error.to_string())),
    )
}

pub(super) fn signed_out(success: bool) -> String {
    let said = if success {
        "You signed out of your account."
    } else {
        "The application could not sign you out."
    };
    page("Signed out", &format!("<p>{said}</p>"))
}

pub(super) fn not_found() -> String {
    page("Not found", "<p>There is nothing here.</p>")
}
