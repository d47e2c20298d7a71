//! A sign-in that begins at the application.

use super::call::{Call, unavailable};
use super::reply::Reply;
use crate::cookies::{Asking, Pending};
use rollcall_saml::AuthnOptions;
use url::form_urlencoded;

/// GET `/saml/{organization}/login?RelayState=…&login_hint=…`: sends the browser to the identity
/// provider. Where it goes afterwards is kept in a signed cookie, together with the request's id.
pub fn login(call: &Call) -> Reply {
    let now = call.app.engine.clock.now();
    let asked = parameter(&call.visit.query, "RelayState")
        .or_else(|| parameter(&call.visit.query, "target"));
    let policy = &call.connection.settings.policy;
    let is_console = |target: &str| target == call.addresses.console_url;
    let allowed = |target: &&String| policy.allows_target(target) || is_console(target);
    let target = asked.as_ref().filter(allowed).cloned();
    let refused_target = asked.is_some() && target.is_none();
    let login_hint = parameter(&call.visit.query, "login_hint").filter(|hint| hint.len() <= 320);
    let request = call.app.engine.ids.saml_message();
    let options = AuthnOptions {
        login_hint: login_hint.as_deref(),
        force_authn: policy.force_authn,
        authn_contexts: &policy.authn_contexts,
        ..AuthnOptions::default()
    };
    match call.provider.authn_request(&request, now, &options) {
        Ok(location) => {
            let told = if refused_target {
                format!("request {request}; the target asked for is not allowed")
            } else {
                format!("request {request}")
            };
            let pending = Pending::new(call.organization.id, Asking::Login, request, now, target);
            let (headers, key) = (&call.visit.headers, &call.app.deployment_key);
            let given_up = Pending::given_up(headers, key, now);
            let reply = given_up.into_iter().fold(Reply::redirect(location), Reply::cookie);
            reply.cookie(pending.to_cookie(&call.app.deployment_key)).told(told).beside_the_log()
        }
        Err(error) => unavailable(&call.visit).told(error.to_string()),
    }
}

/// The value of a parameter that is there once.
pub fn parameter(query: &str, name: &str) -> Option<String> {
    let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(n, _)| n == name);
    let (_, value) = found.next()?;
    (found.next().is_none() && !value.is_empty()).then(|| value.into_owned())
}
