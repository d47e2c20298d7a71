//! Logins of an organization: every attempt, and why it was refused.

use super::guard::Auditor;
use super::paging;
use crate::admin::OrganizationPath;
use axum::Json;
use axum::extract::{Path, Query, State};
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_domain::ids::{ExchangeId, ResourceId};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_projections::logins::{LoginFilter, LoginRow};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which logins, newest first.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct LoginQuery {
    /// Accepted ones only, or refused ones only.
    pub accepted: Option<bool>,
    /// Only those of this user.
    pub user: Option<Uuid>,
    /// Only those whose assertion said something else than SCIM.
    pub drifted: bool,
    /// Only those before this position.
    pub before: Option<u64>,
    /// At most so many; 100 if absent, 1000 at most.
    pub limit: Option<usize>,
}

/// Where an assertion said something else than SCIM. What SCIM said counts.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriftBody {
    /// The SCIM attribute.
    pub attribute: String,
    /// What SCIM said.
    pub scim: String,
    /// What the assertion said.
    pub asserted: String,
}

/// An attempt to sign in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LoginBody {
    /// Position of its event.
    pub position: u64,
    /// The exchange.
    pub exchange: Option<Uuid>,
    /// When.
    pub at: DateTime<Utc>,
    /// `accepted` or `refused`.
    pub outcome: String,
    /// Why it was refused, as a stable code.
    pub reason: Option<String>,
    /// Why it was refused, in words.
    pub detail: Option<String>,
    /// The user, if it was known who it is.
    pub user_id: Option<Uuid>,
    /// What the identity provider calls the person.
    pub name_id: Option<String>,
    /// `external-id` or `user-name`: what the user was recognized by.
    pub matched_by: Option<String>,
    /// `service-provider` or `identity-provider`: who began.
    pub initiated_by: Option<String>,
    /// Who issued the assertion.
    pub issuer: Option<String>,
    /// The assertion's id.
    pub assertion: Option<String>,
    /// The request that it answers.
    pub request: Option<String>,
    /// SHA-256 of the certificate that verified it.
    pub certificate: Option<String>,
    /// `assertion`, `response` or `both`: what was signed.
    pub signed: Option<String>,
    /// Whether it came encrypted.
    pub encrypted: bool,
    /// When the person proved who they are to the identity provider.
    pub authn_instant: Option<DateTime<Utc>>,
    /// The address it came from.
    pub source: Option<String>,
    /// The session that began.
    pub session_id: Option<Uuid>,
    /// SHA-256 of the message.
    pub message_sha256: String,
    /// Where the assertion said something else than SCIM.
    pub drift: Vec<DriftBody>,
}

impl From<LoginRow> for LoginBody {
    fn from(row: LoginRow) -> Self {
        let drift = row.drift.into_iter().map(|d| DriftBody {
            attribute: d.attribute,
            scim: d.scim.into_value(),
            asserted: d.asserted.into_value(),
        });
        Self {
            position: row.seq,
            exchange: row.exchange.map(|x| x.0),
            at: row.at,
            outcome: if row.accepted { "accepted" } else { "refused" }.to_owned(),
            reason: row.reason,
            detail: row.detail,
            user_id: row.subject.map(|u| u.0),
            name_id: row.name_id,
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
}

/// Logins of an organization, newest first.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/logins", tag = "audit", params(OrganizationPath, LoginQuery), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = Vec<LoginBody>), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn list(auditor: Auditor, State(app): State<Arc<App>>, Query(query): Query<LoginQuery>) -> Result<Json<Vec<LoginBody>>, Refusal> {
    let filter =
        LoginFilter { accepted: query.accepted, subject: query.user.map(ResourceId), drifted: query.drifted, before: query.before };
    let limit = paging::limit(query.limit);
    let rows = app.logins.list(auditor.organization, &filter, limit).await?;
    Ok(Json(rows.into_iter().map(LoginBody::from).collect()))
}

/// The login in a path.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct LoginPath {
    /// Id of the exchange: the reference on the page that refuses a login.
    pub exchange: Uuid,
}

/// The login of an exchange.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/logins/{exchange}", tag = "audit", params(OrganizationPath, LoginPath), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = LoginBody), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn show(auditor: Auditor, State(app): State<Arc<App>>, Path(path): Path<LoginPath>) -> Result<Json<LoginBody>, Refusal> {
    let found = app.logins.of_exchange(auditor.organization, ExchangeId(path.exchange)).await?;
    let found = found.ok_or_else(|| Refusal::not_found(format!("exchange {} is no login of this organization", path.exchange)))?;
    Ok(Json(found.into()))
}
