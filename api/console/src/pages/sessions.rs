//! Who is signed in to the application.

use super::paging::{filled, next};
use crate::signing::{Posted, Reader};
use crate::trouble::Trouble;
use crate::view::{Frame, When, shown};
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_contract::sessions::{SessionPath, SessionQuery, SessionSummary};
use serde::Deserialize;

/// Which sessions.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    all: Option<String>,
    cursor: Option<String>,
    done: Option<String>,
}

struct Row {
    id: String,
    user: String,
    user_id: String,
    state: String,
    began: When,
    expires: When,
    end_reason: String,
    is_live: bool,
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct Page {
    frame: Frame,
    slug: String,
    rows: Vec<Row>,
    all: bool,
    next: Option<String>,
}

/// The list.
pub async fn list(reader: Reader, Query(wanted): Query<Wanted>) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let all = wanted.all.is_some();
    let query = SessionQuery {
        live: !all,
        limit: Some(50),
        cursor: filled(&wanted.cursor),
        ..SessionQuery::default()
    };
    let line = route::LIST_SESSIONS.line(&OrganizationPath::of(slug.clone()), &query);
    let (rows, cursor) = reader.asker().page::<Vec<SessionSummary>>(line).await?;
    let rows = rows.into_iter().map(|body| Row {
        id: body.session_id.to_string(),
        user: format!("/o/{slug}/users/{}", body.user_id),
        user_id: body.user_id.to_string(),
        is_live: body.state == "live",
        state: body.state,
        began: When(body.began_at),
        expires: When(body.expires_at),
        end_reason: body.end_reason.unwrap_or_default(),
    });
    let kept = [("all", if all { "on" } else { "" })];
    let page = Page {
        rows: rows.collect(),
        all,
        next: next(&format!("/o/{slug}/sessions"), &kept, cursor.as_deref()),
        frame: reader.frame("Sessions", "sessions").with_notice(wanted.done.as_deref()),
        slug,
    };
    Ok(shown(&page))
}

/// Ends one.
pub async fn end(
    Path(path): Path<SessionPath>,
    posted: Posted<Reader>,
) -> Result<Response, Trouble> {
    let slug = posted.who.slug();
    let path = SessionPath { organization: slug.clone(), ..path };
    posted.who.asker().act(route::END_SESSION.line(&path, &Nothing)).await?;
    Ok(Redirect::to(&format!("/o/{slug}/sessions?done=ended")).into_response())
}
