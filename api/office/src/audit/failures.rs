//! Failures: what went wrong and is not yet right, and what to do about it.

use super::paging::{Listed, Page};
use super::there;
use axum::Json;
use axum::extract::{Path, Query, State};
use rollcall_contract::Problem;
use rollcall_contract::failures::{FailureBody, FailurePath, FailureQuery};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::failure::Cause;
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::audit::Reads;
use rollcall_door::callers::Auditor;
use rollcall_projections::failures::{FailureFilter, FailureRow};
use std::sync::Arc;

/// What is said of a failure that leaves somebody access.
const LEAVES_ACCESS: &str = "somebody should have lost access here and has not";

fn body(row: FailureRow) -> FailureBody {
    let state = if row.cured_at.is_some() { "cured" } else { "open" };
    FailureBody {
        id: row.id.0,
        state: state.to_owned(),
        cause: row.cause.as_str().to_owned(),
        explanation: row.cause.words().to_owned(),
        next_step: row.cause.next_step().to_owned(),
        next_step_in: row.cause.place().as_str().to_owned(),
        operation: row.operation,
        subject: row.subject.map(|s| s.0),
        needs: row.needs.map(|s| s.0),
        status: row.status,
        scim_type: row.scim_type,
        detail: row.detail,
        count: row.count,
        first_at: row.first_at,
        last_at: row.last_at,
        last_number: row.last_number,
        last_exchange: row.last_exchange.0,
        cured_by: row.cured_by.map(|x| x.0),
        access: (row.leaves_access && row.cured_at.is_none()).then(|| LEAVES_ACCESS.to_owned()),
        leaves_access: row.leaves_access,
        cured_at: row.cured_at,
    }
}

/// Sees in the group's history whether the member that was not there has joined since.
async fn settle(
    views: &Reads,
    organization: OrganizationId,
    mut row: FailureRow,
) -> Result<FailureRow, Refusal> {
    let (Some(group), Some(member), None) = (row.subject, row.needs, row.cured_at) else {
        return Ok(row);
    };
    if !row.wants_only_member(member) {
        return Ok(row);
    }
    let joined = views.history.joined_after(organization, group, member, row.last_at).await?;
    if let Some(membership) = joined {
        row.cured_by = membership.began.exchange;
        row.cured_at = Some(membership.began.at);
    }
    Ok(row)
}

/// Failures of an organization, those that leave somebody access first, then those last met first;
/// `none` in place of an organization: those of requests whose token named none.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/failures",
    tag = "audit",
    params(OrganizationPath, FailureQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = Vec<FailureBody>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    Auditor { organization, .. }: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<FailureQuery>,
) -> Result<Listed<Vec<FailureBody>>, Refusal> {
    if organization == OrganizationId::NONE {
        let told = "what was sent without a known token lies beside the log, and is no organization's failure: list its exchanges";
        return Err(Refusal::not_found(told));
    }
    let page = Page::of(&query, &format!("{organization} failures"))?;
    let unknown = |name: &String| {
        let causes = || Cause::ALL.iter().map(|cause| cause.as_str());
        Cause::parse(name).ok_or_else(|| Refusal::not_among("cause", name, causes()))
    };
    let filter = FailureFilter {
        cured: query.cured,
        cause: query.cause.as_ref().map(unknown).transpose()?,
        subject: query.subject.map(ResourceId),
        before: page.place().or(query.before),
    };
    let end = page.end(app.engine.log.head(organization).await?.exchange_number);
    let views = app.audit.of(organization).await?;
    let mut rows = views.failures.list(organization, &filter, page.fetch()).await?;
    if rows.is_empty() {
        there::resource(&app, organization, query.subject).await?;
    }
    let next = page.cut(&mut rows, |row| row.last_number);
    let mut found = Vec::new();
    for row in rows {
        let row = settle(&views, organization, row).await?;
        if query.cured || row.cured_at.is_none() {
            found.push(body(row));
        }
    }
    Ok(page.listed(found, next, end))
}

/// One failure.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/failures/{failure}",
    tag = "audit",
    params(FailurePath),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = FailureBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn show(
    Auditor { organization, .. }: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<FailurePath>,
) -> Result<Json<FailureBody>, Refusal> {
    let views = app.audit.of(organization).await?;
    let found = views.failures.get(organization, ExchangeId(path.failure)).await?;
    let found = found.ok_or_else(|| {
        Refusal::not_found(format!("no failure began with exchange {}", path.failure))
    })?;
    Ok(Json(body(settle(&views, organization, found).await?)))
}
