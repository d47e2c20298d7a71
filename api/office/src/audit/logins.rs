//! Logins of an organization: every attempt, and why it was refused.

use super::paging::{Listed, Page};
use super::strangers;
use super::there;
use axum::Json;
use axum::extract::{Path, Query, State};
use rollcall_contract::Problem;
use rollcall_contract::logins::{DriftBody, LoginBody, LoginPath, LoginQuery};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::ids::{ExchangeId, ResourceId};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::Auditor;
use rollcall_projections::logins::{LoginFilter, LoginRow};
use std::sync::Arc;

/// As it is told.
pub(super) fn body(row: LoginRow) -> LoginBody {
    let drift = row.drift.into_iter().map(|d| DriftBody {
        attribute: d.attribute,
        scim: d.scim.into_value(),
        asserted: d.asserted.into_value(),
    });
    LoginBody {
        position: row.seq,
        exchange: row.exchange.map(|x| x.0),
        at: row.at,
        outcome: if row.accepted { "accepted" } else { "refused" }.to_owned(),
        reason: row.reason,
        detail: row.detail,
        user_id: row.subject.map(|u| u.0),
        name_id: row.name_id,
        object_id: row.object_id,
        matched_by: row.matched_by,
        initiated_by: row.initiated_by,
        issuer: row.issuer,
        assertion: row.assertion,
        request: row.request,
        certificate: row.certificate,
        signed: row.signed,
        encrypted: row.encrypted,
        authn_instant: row.authn_instant,
        source: row.source,
        session_id: row.session.map(|s| s.0),
        message_sha256: row.message_sha256,
        drift: drift.collect(),
    }
}

/// Logins of an organization, newest first; messages that could not be trusted if `untrusted`.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/logins",
    tag = "audit",
    params(OrganizationPath, LoginQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = Vec<LoginBody>),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<LoginQuery>,
) -> Result<Listed<Vec<LoginBody>>, Refusal> {
    let page = Page::of(&query, &format!("{} logins", auditor.organization))?;
    if query.untrusted {
        return strangers::messages(&app, auditor.organization, &page, &query).await;
    }
    let filter = LoginFilter {
        accepted: query.accepted,
        subject: query.user.map(ResourceId),
        drifted: query.drifted,
        before: page.place().or(query.before),
    };
    let mut rows = app.logins.list(auditor.organization, &filter, page.fetch()).await?;
    if rows.is_empty() {
        there::resource(&app, auditor.organization, query.user).await?;
    }
    let next = page.cut(&mut rows, |row| row.seq);
    // Newest first: what comes in stands before the first page.
    Ok(page.listed(rows.into_iter().map(body).collect(), next, 0))
}

/// The login of an exchange.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/logins/{exchange}",
    tag = "audit",
    params(LoginPath),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = LoginBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn show(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<LoginPath>,
) -> Result<Json<LoginBody>, Refusal> {
    let (organization, id) = (auditor.organization, ExchangeId(path.exchange));
    let found = match app.logins.of_exchange(organization, id).await? {
        Some(row) => Some(body(row)),
        None => strangers::message_of(&app, organization, id).await?,
    };
    let found = found.ok_or_else(|| {
        Refusal::not_found(format!("exchange {} is no login of this organization", path.exchange))
    })?;
    Ok(Json(found))
}
