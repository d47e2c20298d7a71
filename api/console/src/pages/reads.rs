//! What auditors and admins asked of the organization's history: who reads is seen as well.

use super::paging::{filled, next};
use crate::signing::Reader;
use crate::tell;
use crate::trouble::Trouble;
use crate::view::{Frame, Name, Said, When, shown};
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::reads::{ReadQuery, ReadSummary};
use rollcall_contract::route;
use serde::Deserialize;

/// Which of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    cursor: Option<String>,
}

struct Row {
    who: Name,
    whose: Option<Name>,
    operation: String,
    question: Option<Said>,
    first: When,
    last: When,
    requests: u64,
    rows: u64,
    refused: u64,
    session: String,
}

#[derive(Template)]
#[template(path = "reads.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    next: Option<String>,
}

fn row(slug: &str, body: ReadSummary) -> Row {
    let text = |name: &str| body.caller[name].as_str().map(str::to_owned);
    let kind = text("kind").unwrap_or_default();
    Row {
        whose: text("name").or_else(|| text(&kind)).map(Name),
        who: Name(tell::actor(&kind).to_owned()),
        operation: body.operation.unwrap_or_default(),
        question: body.question.map(Said),
        first: When(body.first_at),
        last: When(body.last_at),
        requests: body.requests,
        rows: body.rows,
        refused: body.refused,
        session: format!("/o/{slug}/requests/{}", body.session),
    }
}

/// The list.
pub async fn list(reader: Reader, Query(wanted): Query<Wanted>) -> Result<Response, Trouble> {
    let slug = reader.slug();
    let query = ReadQuery { limit: Some(50), cursor: filled(&wanted.cursor) };
    let line = route::LIST_READS.line(&OrganizationPath::of(slug.clone()), &query);
    let (rows, cursor) = reader.asker().page::<Vec<ReadSummary>>(line).await?;
    let page = Page {
        rows: rows.into_iter().map(|body| row(&slug, body)).collect(),
        next: next(&format!("/o/{slug}/reads"), &[], cursor.as_deref()),
        frame: reader.frame("Who read what", "review"),
    };
    Ok(shown(&page))
}
