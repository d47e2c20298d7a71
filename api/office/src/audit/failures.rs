//! Failures: what went wrong and is not yet right, and what to do about it.

use super::guard::Auditor;
use super::paging;
use crate::admin::OrganizationPath;
use axum::Json;
use axum::extract::{Path, Query, State};
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_domain::failure::Cause;
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_projections::failures::{FailureFilter, FailureRow};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which failures.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct FailureQuery {
    /// Also those that are cured.
    pub cured: bool,
    /// Only of this cause, such as `name-taken`.
    pub cause: Option<String>,
    /// Only about the resource with this id.
    pub subject: Option<Uuid>,
    /// Only those after the one with this `last_number`, for the next page.
    pub before: Option<u64>,
    /// At most so many; 100 if absent, 1000 at most.
    pub limit: Option<usize>,
}

/// A failure.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FailureBody {
    /// Names it: the first exchange that met it.
    pub id: Uuid,
    /// `open` or `cured`.
    pub state: String,
    /// Why, in a stable word.
    pub cause: String,
    /// What happened.
    pub explanation: String,
    /// What to do next.
    pub next_step: String,
    /// Where: `entra`, `mapping`, `here`, or `nowhere` if it heals by itself.
    pub next_step_in: String,
    /// What was asked for.
    pub operation: String,
    /// The resource it is about, if it is known here.
    pub subject: Option<Uuid>,
    /// The member that was not there.
    pub needs: Option<Uuid>,
    /// HTTP status.
    pub status: u16,
    /// SCIM error type.
    pub scim_type: Option<String>,
    /// SCIM error text, the last time.
    pub detail: Option<String>,
    /// How many exchanges met it.
    pub count: u64,
    /// When the first came.
    pub first_at: DateTime<Utc>,
    /// When the last came.
    pub last_at: DateTime<Utc>,
    /// Number of the last.
    pub last_number: u64,
    /// The last exchange that met it.
    pub last_exchange: Uuid,
    /// The exchange that cured it.
    pub cured_by: Option<Uuid>,
    /// When that came.
    pub cured_at: Option<DateTime<Utc>>,
    /// True if somebody should have lost access by this: disabled, deleted, or taken out of a group.
    #[serde(default)]
    pub leaves_access: bool,
    /// That in words, while it is open.
    #[serde(default)]
    pub access: Option<String>,
}

/// What is said of a failure that leaves somebody access.
const LEAVES_ACCESS: &str = "somebody should have lost access here and has not";

impl FailureBody {
    fn new(row: FailureRow) -> Self {
        let state = if row.cured_at.is_some() { "cured" } else { "open" };
        Self {
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
}

/// Sees in the group's history whether the member that was not there has joined since.
async fn settle(app: &App, organization: OrganizationId, mut row: FailureRow) -> Result<FailureRow, Refusal> {
    let (Some(group), Some(member), None) = (row.subject, row.needs, row.cured_at) else { return Ok(row) };
    if !row.wants_only_member(member) {
        return Ok(row);
    }
    let joined = app.history.joined_after(organization, group, member, row.last_at).await?;
    if let Some(membership) = joined {
        row.cured_by = membership.began.exchange;
        row.cured_at = Some(membership.began.at);
    }
    Ok(row)
}

/// Failures of an organization, those that leave somebody access first, then those last met first; `none` in place of an organization: those of
/// requests whose token named none.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/failures", tag = "audit", params(OrganizationPath, FailureQuery), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = Vec<FailureBody>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn list(
    Auditor { organization }: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<FailureQuery>,
) -> Result<Json<Vec<FailureBody>>, Refusal> {
    app.audit.fold(organization).await?;
    let unknown = |name: &String| Cause::parse(name).ok_or_else(|| Refusal::bad_request(format!("there is no cause {name:?}")));
    let filter = FailureFilter {
        cured: query.cured,
        cause: query.cause.as_ref().map(unknown).transpose()?,
        subject: query.subject.map(ResourceId),
        before: query.before,
    };
    let limit = paging::limit(query.limit);
    let mut found = Vec::new();
    for row in app.failures.list(organization, &filter, limit).await? {
        let row = settle(&app, organization, row).await?;
        if query.cured || row.cured_at.is_none() {
            found.push(FailureBody::new(row));
        }
    }
    Ok(Json(found))
}

/// The failure in a path.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct FailurePath {
    /// The first exchange that met it.
    pub failure: Uuid,
}

/// One failure.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/failures/{failure}", tag = "audit", params(OrganizationPath, FailurePath), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = FailureBody), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn show(
    Auditor { organization }: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<FailurePath>,
) -> Result<Json<FailureBody>, Refusal> {
    app.audit.fold(organization).await?;
    let found = app.failures.get(organization, ExchangeId(path.failure)).await?;
    let found = found.ok_or_else(|| Refusal::not_found(format!("no failure began with exchange {}", path.failure)))?;
    Ok(Json(FailureBody::new(settle(&app, organization, found).await?)))
}
