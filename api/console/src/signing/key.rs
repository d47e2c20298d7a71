//! Signing in by pasting a key. It comes in the body of a form, and is in no address, cookie or
//! storage of a browser.

use super::begin::{Begun, role_of};
use super::guard::read;
use super::kept::kept;
use super::origin;
use crate::trouble::Trouble;
use crate::view::shown;
use crate::{Console, tell};
use askama::Template;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rollcall_domain::exchange::Protocol;
use rollcall_door::callers::SignedIn;
use rollcall_door::exchange::Opened;
use serde::Deserialize;

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Back {
    to: String,
}

#[derive(Template)]
#[template(path = "sign-in.html")]
struct Page<'a> {
    to: &'a str,
    refused: Option<&'a str>,
    typed: &'a str,
    no_organization: Option<&'a str>,
}

/// The page.
pub async fn page(Query(back): Query<Back>) -> Response {
    // Who was sent here from a page of an organization is of that one, most likely.
    let to = local(&back.to);
    let typed = to.strip_prefix("/o/").and_then(|rest| rest.split(['/', '?']).next());
    let typed = typed.unwrap_or_default();
    shown(&Page { to, refused: None, typed, no_organization: None }).into_response()
}

/// The page again, where no organization is called what was typed.
pub fn unknown_organization(typed: &str) -> Response {
    let page =
        Page { to: "/", refused: None, typed, no_organization: Some(tell::UNKNOWN_ORGANIZATION) };
    (StatusCode::NOT_FOUND, shown(&page)).into_response()
}

/// A path of this origin; anything else is the beginning.
fn local(to: &str) -> &str {
    let fits = to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\r', '\n']);
    if fits { to } else { "/" }
}

/// Signs in.
pub async fn sign_in(State(console): State<Console>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let app = &console.app;
    if !origin::is_ours(&parts.headers, &app.public_url) {
        return Trouble::new(StatusCode::FORBIDDEN, tell::FOREIGN_FORM).into_response();
    }
    let mut opened = Opened::new(&app.engine, Protocol::Administration, "console.sign-in", &parts);
    let form = match read(body).await {
        Ok(form) => form,
        Err(trouble) => return kept(app, opened, None, trouble.into_response()).await,
    };
    let found = match SignedIn::by_key(app, form.text("key")).await {
        Ok(found) => found,
        Err(refusal) => {
            return kept(app, opened, None, Trouble::from(refusal).into_response()).await;
        }
    };
    let known = found.and_then(|found| role_of(found.purpose).map(|role| (found, role)));
    let Some((signed_in, role)) = known else {
        let to = local(form.text("to"));
        let refused = Some(tell::UNKNOWN_KEY);
        let page = Page { to, refused, typed: "", no_organization: None };
        let response = (StatusCode::UNAUTHORIZED, shown(&page)).into_response();
        return kept(app, opened, Some("unknown-key".to_owned()), response).await;
    };
    opened.caller = signed_in.actor.clone();
    opened.organization = signed_in.home;
    let begun = Begun::new(&console, &signed_in, role, opened.source.clone());
    let target = begun.on_to(local(form.text("to")));
    let response = match app.console.sessions.begin(begun.row).await {
        Ok(()) => target,
        Err(error) => Trouble::from(error).into_response(),
    };
    kept(app, opened, None, response).await
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for here in ["/", "/o/acme/runs?limit=1", "/o/acme/users/x%2Fy"] {
            assert_eq!(local(here), here);
        }
        for elsewhere in
            ["", "https://evil.example", "//evil.example", "/\\evil.example", "o/acme", "/a\r\nb"]
        {
            assert_eq!(local(elsewhere), "/", "{elsewhere}");
        }
    }
}
