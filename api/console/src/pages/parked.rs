//! Deliveries to a consumer that were set aside.

use crate::signing::{Manager, Posted};
use crate::trouble::Trouble;
use crate::view::{Frame, Maybe, Name, When, shown};
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::consumers::ConsumerPath;
use rollcall_contract::parked::{
    Handled, HandledBody, ParkedBody, ParkedPath, ParkedQuery, TriedBody, TryParked,
};
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
    delivery: String,
    event_type: Name,
    subject: Name,
    parked: When,
    attempts: u64,
    outcome: String,
    next_attempt: Maybe,
}

#[derive(Template)]
#[template(path = "parked.html")]
struct List {
    frame: Frame,
    slug: String,
    consumer: String,
    rows: Vec<Row>,
    more: bool,
}

/// The list.
pub async fn list(
    manager: Manager,
    Path(path): Path<ConsumerPath>,
    Query(done): Query<Done>,
) -> Result<Response, Trouble> {
    let reader = manager.0;
    let slug = reader.slug();
    let consumer = path.consumer.clone();
    let path = ConsumerPath { organization: slug.clone(), ..path };
    let query = ParkedQuery::default();
    let line = route::LIST_PARKED.line(&path, &query);
    let (all, next): (Vec<ParkedBody>, _) = reader.asker().page(line).await?;
    let rows = all.into_iter().map(|body| Row {
        delivery: body.delivery,
        event_type: Name(body.event_type),
        subject: Name(body.subject),
        parked: When(body.parked_at),
        attempts: body.attempts,
        outcome: body.outcome.unwrap_or_default(),
        next_attempt: Maybe(body.next_attempt_at),
    });
    let rows = rows.collect();
    let frame = reader.frame("Set aside", "consumers").with_notice(done.done.as_deref());
    Ok(shown(&List { rows, frame, slug, consumer, more: next.is_some() }))
}

/// Has all of them tried again.
pub async fn redeliver(
    Path(path): Path<ConsumerPath>,
    posted: Posted<Manager>,
) -> Result<Response, Trouble> {
    let slug = posted.who.0.slug();
    let to = format!("/o/{slug}/consumers/{}/parked?done=retried", path.consumer);
    let path = ConsumerPath { organization: slug, ..path };
    let line = route::REDELIVER_PARKED.line(&path, &Nothing);
    let _: TriedBody = posted.who.0.asker().tell(line, &TryParked::default()).await?;
    Ok(Redirect::to(&to).into_response())
}

/// Notes that somebody has seen to one.
pub async fn handle(
    Path(path): Path<ParkedPath>,
    posted: Posted<Manager>,
) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let slug = who.0.slug();
    let to = format!("/o/{slug}/consumers/{}/parked?done=handled", path.consumer);
    let path = ParkedPath { organization: slug, ..path };
    let because = form.text("because").to_owned();
    let line = route::HANDLE_PARKED.line(&path, &Nothing);
    let _: HandledBody = who.0.asker().tell(line, &Handled { because }).await?;
    Ok(Redirect::to(&to).into_response())
}
