//! Who follows the organization's log from outside, and how far each has come.

use crate::signing::{Manager, Posted};
use crate::trouble::Trouble;
use crate::view::{Frame, Maybe, Name, When, shown};
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::consumers::{ConsumerBody, ConsumerPath};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use serde::Deserialize;

/// What was done just now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    done: Option<String>,
}

struct Row {
    id: String,
    name: Name,
    kind: String,
    state: String,
    behind: u64,
    failed: u64,
    heard: Maybe,
}

#[derive(Template)]
#[template(path = "consumers.html")]
struct List {
    frame: Frame,
    slug: String,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "consumer.html")]
struct One {
    frame: Frame,
    slug: String,
    name: Name,
    types: String,
    created: When,
    heard: Maybe,
    next_attempt: Maybe,
    failing_since: Maybe,
    body: ConsumerBody,
}

/// The list.
pub async fn list(manager: Manager) -> Result<Response, Trouble> {
    let reader = manager.0;
    let slug = reader.slug();
    let line = route::LIST_CONSUMERS.line(&OrganizationPath::of(slug.clone()), &Nothing);
    let all: Vec<ConsumerBody> = reader.asker().ask(line).await?;
    let rows = all.into_iter().map(|body| Row {
        id: body.consumer.to_string(),
        name: Name(body.name),
        kind: body.kind,
        state: body.state,
        behind: body.lag_records,
        failed: body.failed_attempts,
        heard: Maybe(body.heard_at),
    });
    let rows = rows.collect();
    Ok(shown(&List { rows, frame: reader.frame("Consumers", "consumers"), slug }))
}

/// One of them.
pub async fn show(
    manager: Manager,
    Path(path): Path<ConsumerPath>,
    Query(done): Query<Done>,
) -> Result<Response, Trouble> {
    let reader = manager.0;
    let slug = reader.slug();
    let path = ConsumerPath { organization: slug.clone(), ..path };
    let body: ConsumerBody = reader.asker().ask(route::SHOW_CONSUMER.line(&path, &Nothing)).await?;
    let frame = reader.frame("A consumer", "consumers").with_notice(done.done.as_deref());
    Ok(shown(&One {
        frame,
        slug,
        name: Name(body.name.clone()),
        types: match body.types.is_empty() {
            true => "all".to_owned(),
            false => body.types.join(", "),
        },
        created: When(body.created_at),
        heard: Maybe(body.heard_at),
        next_attempt: Maybe(body.next_attempt_at),
        failing_since: Maybe(body.failing_since),
        body,
    }))
}

/// Pauses or resumes one.
pub async fn switch(
    Path(path): Path<ConsumerPath>,
    posted: Posted<Manager>,
) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let slug = who.0.slug();
    let consumer = path.consumer.clone();
    let path = ConsumerPath { organization: slug.clone(), ..path };
    let (line, done) = match form.text("do") {
        "pause" => (route::PAUSE_CONSUMER.line(&path, &Nothing), "paused"),
        "resume" => (route::RESUME_CONSUMER.line(&path, &Nothing), "resumed"),
        _ => return Err(Trouble::nothing()),
    };
    who.0.asker().act(line).await?;
    Ok(Redirect::to(&format!("/o/{slug}/consumers/{consumer}?done={done}")).into_response())
}
