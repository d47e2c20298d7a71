//! Signing in by a link. Opening it does nothing, because mail scanners open links too: pressing
//! the button does. Links that are unknown, used, ended or revoked get one and the same page.

use super::begin::Begun;
use super::guard::{read, setup_of};
use super::kept::kept;
use super::origin;
use crate::trouble::Trouble;
use crate::view::shown;
use crate::{Console, tell};
use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rollcall_contract::console::{OPEN_PATH, SETUP_PATH};
use rollcall_domain::exchange::Protocol;
use rollcall_door::callers::{SignedIn, purpose_of};
use rollcall_door::exchange::Opened;
use rollcall_engine::secrets::sha256_hex;
use rollcall_projections::console::{ConsoleRole, LinkState};

#[derive(Template)]
#[template(path = "link.html")]
struct Page {
    action: &'static str,
    title: &'static str,
    text: &'static str,
    is_refused: bool,
}

fn begin_page(is_setup: bool, is_refused: bool) -> Page {
    match is_setup {
        true => Page {
            action: SETUP_PATH,
            title: tell::SETUP_TITLE,
            text: tell::SETUP_TEXT,
            is_refused,
        },
        false => {
            Page { action: OPEN_PATH, title: tell::OPEN_TITLE, text: tell::OPEN_TEXT, is_refused }
        }
    }
}

/// The page of a link to the console.
pub async fn page() -> Response {
    shown(&begin_page(false, false)).into_response()
}

/// The page of a setup link.
pub async fn setup_page() -> Response {
    shown(&begin_page(true, false)).into_response()
}

/// Opens the console.
pub async fn open(State(console): State<Console>, request: Request) -> Response {
    redeem(console, request, false).await
}

/// Uses a link: one for a setup, or one for the console.
pub async fn redeem(console: Console, request: Request, is_setup: bool) -> Response {
    let (parts, body) = request.into_parts();
    let app = &console.app;
    if !origin::is_ours(&parts.headers, &app.public_url) {
        return Trouble::new(StatusCode::FORBIDDEN, tell::FOREIGN_FORM).into_response();
    }
    let mut opened =
        Opened::new(&app.engine, Protocol::Administration, "console.open-link", &parts);
    let outcome = match read(body).await {
        Ok(form) => use_link(&console, form.text("code"), is_setup, &mut opened).await,
        Err(trouble) => Err(trouble),
    };
    match outcome {
        Ok(Ok(response)) => kept(app, opened, None, response).await,
        Ok(Err(state)) => {
            let page = begin_page(is_setup, true);
            let response = (StatusCode::NOT_FOUND, shown(&page)).into_response();
            kept(app, opened, Some(format!("link-{state}")), response).await
        }
        Err(trouble) => kept(app, opened, None, trouble.into_response()).await,
    }
}

/// The way on, or what the link was good for.
async fn use_link(
    console: &Console,
    code: &str,
    is_setup: bool,
    opened: &mut Opened,
) -> Result<Result<Response, &'static str>, Trouble> {
    let app = &console.app;
    // Somebody without a script pastes the whole link.
    let secret = code.rsplit('#').next().unwrap_or_default();
    let Some(link) = app.console.links.of_secret(&sha256_hex(secret)).await? else {
        return Ok(Err("unknown"));
    };
    if (link.role == ConsoleRole::Setup) != is_setup {
        return Ok(Err("unknown"));
    }
    opened.organization = link.organization;
    let state = link.state(app.engine.clock.now());
    if state != LinkState::Live {
        return Ok(Err(state.as_str()));
    }
    let purpose = purpose_of(link.role);
    let signed_in =
        SignedIn::by_credential(app, link.organization, purpose, link.credential).await?;
    let Some(signed_in) = signed_in else { return Ok(Err(LinkState::Revoked.as_str())) };
    let begun = Begun::new(console, &signed_in, link.role, opened.source.clone());
    let target = match link.role {
        ConsoleRole::Operator => "/".to_owned(),
        role => {
            let home = app.organizations.by_id(link.organization).await?;
            let home = home.ok_or_else(Trouble::nothing)?;
            match role {
                ConsoleRole::Setup => setup_of(&home),
                _ => format!("/o/{}", home.domain),
            }
        }
    };
    let response = begun.on_to(&target);
    // Counted and begun in one: whoever comes second to a link for one use finds it used.
    match app.console.links.redeem(&link, begun.row).await? {
        LinkState::Live => {
            opened.caller = signed_in.actor;
            Ok(Ok(response))
        }
        state => Ok(Err(state.as_str())),
    }
}
