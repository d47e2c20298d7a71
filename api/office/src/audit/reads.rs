//! Who read what.

use super::paging::{Listed, Page};
use axum::extract::{Query, State};
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::reads::{ReadQuery, ReadSummary};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::Auditor;
use rollcall_projections::reads::ReadRow;
use std::sync::Arc;

fn summary(row: ReadRow) -> Result<ReadSummary, Refusal> {
    let caller = serde_json::to_value(row.caller()?).map_err(|e| Refusal::unavailable(&e))?;
    let told = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(ReadSummary {
        number: row.number,
        id: row.id.0,
        caller,
        session: row.session.0,
        operation: told(row.operation),
        question: told(row.question),
        first_at: row.first,
        last_at: row.last,
        requests: row.requests,
        rows: row.rows,
        refused: row.refused,
    })
}

/// What auditors and admins asked of an organization's history, newest first. It lies beside the
/// log: reading makes no history.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/reads",
    tag = "audit",
    params(OrganizationPath, ReadQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = Vec<ReadSummary>),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<ReadQuery>,
) -> Result<Listed<Vec<ReadSummary>>, Refusal> {
    let page = Page::of(&query, &format!("{} reads", auditor.organization))?;
    let mut rows = app.reads.list(auditor.organization, page.place(), page.fetch()).await?;
    let next = page.cut(&mut rows, |row| row.number);
    // Newest first: what is asked meanwhile stands before the first page.
    let shown: Result<Vec<ReadSummary>, Refusal> = rows.into_iter().map(summary).collect();
    Ok(page.listed(shown?, next, 0))
}
