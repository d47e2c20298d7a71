//! Signing in and out, and being refused, are exchanges as everything else is.

use super::cookie;
use crate::trouble::Trouble;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::Answer;
use rollcall_door::exchange::{Closing, Kept, Opened, keep, measure};
use rollcall_door::{App, Refusal};

/// Keeps an exchange with what was answered, and why. If it cannot be kept, nothing came of it.
/// Strangers' exchanges are kept beside the log, and whoever guesses keys is told to wait.
pub async fn kept(
    app: &App,
    opened: Opened,
    why: Option<String>,
    mut response: Response,
) -> Response {
    let mut how = Kept::Record;
    if opened.caller == Actor::Unauthenticated {
        how = Kept::Ring;
        if response.status() == StatusCode::UNAUTHORIZED
            && !app.strangers.wrong_keys.admits(opened.from())
        {
            let one_too_many = Refusal::new(StatusCode::TOO_MANY_REQUESTS, crate::tell::TOO_MANY);
            response = Trouble::from(one_too_many).into_response();
        }
    }
    if app.engine.closed().is_some() {
        // There is no log to keep it in.
        how = Kept::CountOnly;
    }
    let answer = Answer {
        status: response.status().as_u16(),
        headers: Vec::new(),
        rule: None,
        scim_type: None,
        detail: why,
        body_bytes: 0,
        body_kept: false,
        found: None,
    };
    if let Err(error) =
        keep(&app.engine, &app.strangers, how, || opened.close(Closing::with(answer, Vec::new())))
            .await
    {
        response = Trouble::from(Refusal::unavailable(&error)).into_response();
        if let Some(none) = cookie::removed() {
            response.headers_mut().insert(header::SET_COOKIE, none);
        }
    } else if how != Kept::CountOnly
        && let Ok(id) = HeaderValue::from_str(&opened.id.to_string())
    {
        response.headers_mut().insert(HeaderName::from_static("exchange-id"), id);
    }
    measure(&opened, response.status().as_u16());
    response
}
