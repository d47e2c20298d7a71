//! Signing out.

use super::cookie;
use super::guard::{Guard as _, Posted, Visitor};
use super::kept::kept;
use crate::Console;
use crate::trouble::Trouble;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_domain::exchange::Protocol;
use rollcall_door::exchange::Opened;

/// Ends the session, here and on every server.
pub async fn sign_out(State(console): State<Console>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let app = console.app.clone();
    let mut opened = Opened::new(&app.engine, Protocol::Administration, "console.sign-out", &parts);
    let request = Request::from_parts(parts, body);
    let visitor = match Posted::<Visitor>::from_request(request, &console).await {
        Ok(posted) => posted.who.visitor().clone(),
        Err(trouble) => return trouble.into_response(),
    };
    opened.caller = visitor.signed_in.actor.clone();
    opened.organization = visitor.signed_in.home;
    let (session, now) = (&visitor.session, app.engine.clock.now());
    let ended = app.console.sessions.end(session.organization, session.id, now).await;
    let response = match ended {
        Ok(_) => {
            let mut response = Redirect::to("/sign-in").into_response();
            if let Some(none) = cookie::removed() {
                response.headers_mut().insert(header::SET_COOKIE, none);
            }
            response
        }
        Err(error) => Trouble::from(error).into_response(),
    };
    kept(&app, opened, None, response).await
}
