//! What browsers and door controllers ask.

use crate::list::{List, Verdict};
use crate::rollcall::Rollcall;
use crate::session::{sha256_hex, signed_in};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What the pages need.
pub struct Site {
    /// The list.
    pub list: Arc<List>,
    /// Who is asked whose a session is.
    pub rollcall: Rollcall,
    /// Doors, and whose members may open them.
    pub doors: BTreeMap<String, String>,
    /// SHA-256 of what door controllers send.
    pub key: String,
    /// Where people sign in.
    pub sign_in: String,
    /// This application, as browsers reach it.
    pub address: String,
    /// How old what is known may be.
    pub trust: Duration,
}

/// The pages.
pub fn router(site: Site) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/doors/{door}/people/{person}", get(may))
        .with_state(Arc::new(site))
}

/// A list that may be out of date opens no door.
enum Unknown {
    TooOld,
    Broken(rusqlite::Error),
}

impl Site {
    fn verdict(&self, group: &str, person: &str) -> Result<(Verdict, u64), Unknown> {
        if self.list.age().is_none_or(|age| age > self.trust) {
            return Err(Unknown::TooOld);
        }
        let (verdict, position) = self.list.may_open(group, person).map_err(Unknown::Broken)?;
        position.map(|position| (verdict, position)).ok_or(Unknown::TooOld)
    }

    fn is_controller(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        // Hashes are compared, so that the time it takes says nothing of the key.
        sent.and_then(|text| text.strip_prefix("Bearer "))
            .is_some_and(|key| sha256_hex(key) == self.key)
    }
}

/// May this person open this door now?
async fn may(
    State(site): State<Arc<Site>>,
    Path((door, person)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if !site.is_controller(&headers) {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response();
    }
    let Some(group) = site.doors.get(&door) else { return StatusCode::NOT_FOUND.into_response() };
    match site.verdict(group, &person) {
        Ok((verdict, position)) => {
            let because = match verdict {
                Verdict::May => "member",
                Verdict::NobodyKnown => "unknown",
                Verdict::SwitchedOff => "switched-off",
                Verdict::NoMember => "no-member",
            };
            let may = verdict == Verdict::May;
            Json(json!({ "may": may, "because": because, "position": position })).into_response()
        }
        Err(unknown) => unknown.into_response(),
    }
}

impl axum::response::IntoResponse for Unknown {
    fn into_response(self) -> Response {
        if let Unknown::Broken(error) = &self {
            eprintln!("the list cannot be read: {error}");
        }
        let retry = [(header::RETRY_AFTER, "1")];
        (StatusCode::SERVICE_UNAVAILABLE, retry, "who may enter is not known now").into_response()
    }
}

/// Which doors open for whoever looks.
async fn home(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let person = match signed_in(&site.list, &site.rollcall, &cookies).await {
        Ok(Some(person)) => person,
        Ok(None) => {
            let query = [("RelayState", site.address.as_str())];
            return match reqwest::Url::parse_with_params(&site.sign_in, query) {
                Ok(url) => Redirect::to(url.as_str()).into_response(),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            };
        }
        Err(error) => {
            eprintln!("whose a session is cannot be told: {error}");
            return Unknown::TooOld.into_response();
        }
    };
    let mut open = String::new();
    for (door, group) in &site.doors {
        match site.verdict(group, &person.id) {
            Ok((verdict, _)) => {
                let word = if verdict == Verdict::May { "open" } else { "closed" };
                open.push_str(&format!("<li>{}: {word}</li>", escaped(door)));
            }
            Err(unknown) => return unknown.into_response(),
        }
    }
    let name = escaped(&person.name);
    Html(format!("<!doctype html><title>Doors</title><h1>{name}</h1><ul>{open}</ul>"))
        .into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
