//! What failed and is not yet right: why, where it is put right, what would become of it now.

use super::paging::{filled, next};
use crate::signing::{OperatorHere, Posted, Reader};
use crate::tell;
use crate::trouble::Trouble;
use crate::view::{Frame, Maybe, Said, When, shown};
use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::failures::{FailureBody, FailurePath, FailureQuery};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::replay::{ReplayLine, ReplayRequest, ReplayResult};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use serde::Deserialize;

/// Which failures.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    cured: Option<String>,
    cursor: Option<String>,
}

struct Row {
    href: String,
    explanation: String,
    cause: String,
    operation: String,
    count: u64,
    last: When,
    place: &'static str,
    is_open: bool,
    leaves_access: bool,
}

#[derive(Template)]
#[template(path = "failures.html")]
struct List {
    frame: Frame,
    rows: Vec<Row>,
    cured: bool,
    next: Option<String>,
}

/// The list.
pub async fn list(reader: Reader, Query(wanted): Query<Wanted>) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let cured = wanted.cured.is_some();
    let query = FailureQuery {
        cured,
        limit: Some(50),
        cursor: filled(&wanted.cursor),
        ..FailureQuery::default()
    };
    let line = route::LIST_FAILURES.line(&OrganizationPath::of(slug.clone()), &query);
    let (rows, cursor) = reader.asker().page::<Vec<FailureBody>>(line).await?;
    let rows = rows.into_iter().map(|body| Row {
        href: format!("/o/{slug}/failures/{}", body.id),
        explanation: body.explanation,
        cause: body.cause,
        operation: body.operation,
        count: body.count,
        last: When(body.last_at),
        place: tell::place(&body.next_step_in),
        is_open: body.state == "open",
        leaves_access: body.leaves_access,
    });
    let kept = [("cured", if cured { "on" } else { "" })];
    let page = List {
        rows: rows.collect(),
        cured,
        next: next(&format!("/o/{slug}/failures"), &kept, cursor.as_deref()),
        frame: reader.frame("Failures", "failures"),
    };
    Ok(shown(&page))
}

/// What would become of a request now.
struct Tried {
    succeeds: bool,
    then: u16,
    now: Option<u16>,
    detail: Said,
    events: Vec<String>,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Show {
    frame: Frame,
    slug: String,
    id: String,
    body: FailureBody,
    detail: Said,
    first: When,
    last: When,
    cured: Maybe,
    place: &'static str,
    subject: Option<String>,
    last_request: String,
    tried: Option<Tried>,
    refused: Option<&'static str>,
}

/// One failure.
pub async fn show(reader: Reader, Path(path): Path<FailurePath>) -> Result<Response, Trouble> {
    page(&reader, path, None, None).await
}

async fn page(
    reader: &Reader,
    path: FailurePath,
    tried: Option<Tried>,
    refused: Option<&'static str>,
) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let path = FailurePath { organization: slug.clone(), ..path };
    let body: FailureBody = reader.asker().ask(route::SHOW_FAILURE.line(&path, &Nothing)).await?;
    let place = if body.operation.starts_with("groups") { "groups" } else { "users" };
    let page = Show {
        id: path.failure.to_string(),
        detail: Said(body.detail.clone().unwrap_or_default()),
        first: When(body.first_at),
        last: When(body.last_at),
        cured: Maybe(body.cured_at),
        place: tell::place(&body.next_step_in),
        subject: body.subject.map(|id| format!("/o/{slug}/{place}/{id}")),
        last_request: format!("/o/{slug}/requests/{}", body.last_exchange),
        tried,
        refused,
        body,
        frame: reader.frame("Failure", "failures"),
        slug,
    };
    Ok(shown(&page))
}

/// Tries it without writing anything.
pub async fn dry_run(
    operator: OperatorHere,
    Path(path): Path<FailurePath>,
    posted: Posted<Reader>,
) -> Result<Response, Trouble> {
    let _ = operator;
    let tried = replay(&posted.who, &path, false).await?;
    page(&posted.who, path, tried, None).await
}

/// Submits it again, if the slug was typed.
pub async fn apply(
    operator: OperatorHere,
    Path(path): Path<FailurePath>,
    posted: Posted<Reader>,
) -> Result<Response, Trouble> {
    let _ = operator;
    let slug = posted.who.slug();
    if posted.form.text("confirm") != slug {
        let mut page = page(&posted.who, path, None, Some(tell::NOT_CONFIRMED)).await?;
        *page.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(page);
    }
    match replay(&posted.who, &path, true).await? {
        Some(tried) if !tried.succeeds => page(&posted.who, path, Some(tried), None).await,
        _ => {
            let to = format!("/o/{slug}/failures/{}", path.failure);
            Ok(Redirect::to(&to).into_response())
        }
    }
}

async fn replay(
    reader: &Reader,
    path: &FailurePath,
    is_real: bool,
) -> Result<Option<Tried>, Trouble> {
    let path = FailurePath { organization: reader.slug(), ..path.clone() };
    let body: FailureBody = reader.asker().ask(route::SHOW_FAILURE.line(&path, &Nothing)).await?;
    let request = ReplayRequest { exchanges: vec![body.last_exchange], ..ReplayRequest::default() };
    let of = OrganizationPath::of(reader.slug());
    let line = match is_real {
        true => route::APPLY_REPLAY.line(&of, &Nothing),
        false => route::DRY_RUN_REPLAY.line(&of, &Nothing),
    };
    let lines: Vec<ReplayLine> = reader.asker().lines(line, &request).await?;
    let mut tried = None;
    for line in lines {
        match line {
            ReplayLine::Exchange(line) => {
                let said = line.now.as_ref().and_then(|now| now.detail.clone());
                tried = Some(Tried {
                    succeeds: line.result == ReplayResult::Succeeds,
                    then: line.recorded.status,
                    now: line.now.as_ref().map(|now| now.status),
                    detail: Said(line.reason.or(said).unwrap_or_default()),
                    events: line.events.into_iter().map(|event| event.event_type).collect(),
                });
            }
            ReplayLine::Summary(_) => {}
            ReplayLine::Broken { detail } => {
                return Err(Trouble::new(StatusCode::SERVICE_UNAVAILABLE, detail));
            }
        }
    }
    Ok(tried)
}
