//! What a reviewer decides about one membership: a row of the review, and a form.

use super::paging::filled;
use crate::signing::{Posted, Reader, Reviewer};
use crate::trouble::Trouble;
use crate::view::{Frame, Name, When, in_address, shown};
use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::format::Format;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::review::{
    AccessQuery, AccessRow, DecisionKept, DecisionVerdict, NewDecision, ReviewBody,
};
use rollcall_contract::route;
use serde::Deserialize;
use uuid::Uuid;

/// Which membership, as of which position.
#[derive(Clone, Debug, Deserialize)]
pub struct Which {
    group: Uuid,
    member: Uuid,
    since: u64,
    seen: u64,
}

#[derive(Template)]
#[template(path = "decide.html")]
struct Page {
    frame: Frame,
    slug: String,
    which: Which,
    group: Name,
    member: Name,
    since: When,
    until: Option<When>,
    verdict: Option<String>,
    typed: String,
    refused: Option<String>,
}

/// The membership, as the review has it.
async fn row(reader: &Reader, which: &Which) -> Result<AccessRow, Trouble> {
    let query = AccessQuery {
        group: Some(which.group.to_string()),
        user: None,
        from: Some(format!("position:{}", which.since)),
        to: Some(format!("position:{}", which.seen)),
        format: Format::Json,
        ..AccessQuery::default()
    };
    let line = route::REVIEW_ACCESS.line(&OrganizationPath::of(reader.slug()), &query);
    let body: ReviewBody = reader.asker().ask(line).await?;
    let mut rows = body.rows.into_iter();
    rows.find(|row| row.member_id == which.member && row.since_position == which.since)
        .ok_or_else(Trouble::nothing)
}

async fn shown_with(
    reader: &Reader,
    which: Which,
    typed: String,
    refused: Option<String>,
) -> Result<Response, Trouble> {
    let row = row(reader, &which).await?;
    let member = row.display_name.or(row.user_name).unwrap_or_else(|| row.member_id.to_string());
    let page = Page {
        frame: reader.frame("Decide about access", "review"),
        slug: reader.slug(),
        group: Name(row.group),
        member: Name(member),
        since: When(row.since),
        until: row.until.map(When),
        verdict: row.verdict,
        typed,
        refused,
        which,
    };
    Ok(shown(&page))
}

/// The page.
pub async fn page(reader: Reader, Query(which): Query<Which>) -> Result<Response, Trouble> {
    shown_with(&reader, which, String::new(), None).await
}

/// Keeps the decision, and goes back to the review as of the position at which it was made.
pub async fn decide(posted: Posted<Reviewer>) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let (reader, number) = (&who.0, |name: &str| form.text(name).parse::<u64>().ok());
    let id = |name: &str| form.text(name).parse::<Uuid>().ok();
    let (Some(group), Some(member)) = (id("group"), id("member")) else {
        return Err(Trouble::nothing());
    };
    let (Some(since), Some(seen)) = (number("since"), number("seen")) else {
        return Err(Trouble::nothing());
    };
    let verdict = match form.text("verdict") {
        "keep" => DecisionVerdict::Keep,
        "remove" => DecisionVerdict::Remove,
        "note" => DecisionVerdict::Note,
        _ => return Err(Trouble::nothing()),
    };
    let remark = filled(&Some(form.text("remark").trim().to_owned()));
    let new = NewDecision {
        group_id: group,
        member_id: member,
        since_position: since,
        seen_position: seen,
        verdict,
        remark: remark.clone(),
    };
    let line = route::DECIDE_ACCESS.line(&OrganizationPath::of(reader.slug()), &Nothing);
    match reader.asker().tell::<DecisionKept>(line, &new).await {
        Ok(_) => {
            let at = in_address(&format!("position:{seen}"));
            let to = format!("/o/{}/review?group={group}&as-of={at}&done=decided", reader.slug());
            Ok(Redirect::to(&to).into_response())
        }
        // What was typed is kept.
        Err(Trouble::Refused(problem)) if problem.status == 400 => {
            let which = Which { group, member, since, seen };
            shown_with(reader, which, remark.unwrap_or_default(), Some(problem.detail)).await
        }
        Err(trouble) => Err(trouble),
    }
}
