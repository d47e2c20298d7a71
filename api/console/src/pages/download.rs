//! Answers of the API as files.

use super::changes::Between;
use super::findings::Wanted;
use super::review::Asked;
use crate::signing::Reader;
use crate::trouble::Trouble;
use axum::extract::Query;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use rollcall_contract::format::Format;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::route;

/// What is different between two moments, as CSV.
pub async fn changes(reader: Reader, Query(between): Query<Between>) -> Result<Response, Trouble> {
    let query = between.query(Format::Csv);
    let path = OrganizationPath::of(reader.slug());
    let answer = reader.asker().answer(route::DIFFERENCE.line(&path, &query)).await?;
    Ok(named(answer, &format!("changes-{}.csv", reader.slug())))
}

/// An access review, as CSV.
pub async fn review(reader: Reader, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let query = asked.query(Format::Csv);
    let path = OrganizationPath::of(reader.slug());
    let answer = reader.asker().answer(route::REVIEW_ACCESS.line(&path, &query)).await?;
    Ok(named(answer, &format!("review-{}.csv", reader.slug())))
}

/// What a reviewer looked for, as CSV.
pub async fn findings(reader: Reader, Query(wanted): Query<Wanted>) -> Result<Response, Trouble> {
    let query = wanted.query(Format::Csv)?;
    let path = OrganizationPath::of(reader.slug());
    let answer = reader.asker().answer(route::REVIEW_FINDINGS.line(&path, &query)).await?;
    Ok(named(answer, &format!("{}-{}.csv", query.find, reader.slug())))
}

/// A slug has no character that a header cannot hold.
fn named(mut answer: Response, name: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    answer
}
