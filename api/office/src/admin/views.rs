//! Views: how far they are, rebuild, verify, resume.

use super::guard::{Admin, OrganizationPath};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_domain::sql::Family;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_projections::fold::FoldError;
use rollcall_projections::status::ViewStatus;
use rollcall_projections::verify::Differences;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Instant;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// How far one organization's views are.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ViewBody {
    /// The organization; the nil id stands for exchanges that named none.
    pub organization_id: Uuid,
    /// `live`, what answers SCIM, or `audit`, what answers auditors.
    pub family: String,
    /// Position of the last record that is folded.
    pub position: u64,
    /// Position of the last record in the log.
    pub head: u64,
    /// Number of the last exchange that is folded.
    pub exchange_number: u64,
    /// Number of the last exchange in the log.
    pub exchange_head: u64,
    /// Set if a record cannot be folded.
    pub stopped: Option<StoppedBody>,
}

/// Why an organization's views have stopped.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StoppedBody {
    /// The record that cannot be folded.
    pub position: u64,
    /// What is wrong with it.
    pub error: String,
}

impl From<ViewStatus> for ViewBody {
    fn from(s: ViewStatus) -> Self {
        Self {
            organization_id: s.organization.0,
            family: s.family.as_str().to_owned(),
            position: s.position,
            head: s.head,
            exchange_number: s.exchange_number,
            exchange_head: s.exchange_head,
            stopped: s.stopped.map(|stop| StoppedBody { position: stop.position, error: stop.error }),
        }
    }
}

/// What a rebuild did.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RebuiltBody {
    /// Which views.
    pub family: String,
    /// Records folded.
    pub records: u64,
    /// Exchanges folded.
    pub exchanges: u64,
    /// How long it took.
    pub seconds: f64,
    /// Organizations whose views could not be rebuilt to the end.
    pub stopped: Vec<Uuid>,
}

/// What a comparison found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VerifiedBody {
    /// True if every row is as a rebuild makes it.
    pub equal: bool,
    /// Rows compared.
    pub rows: u64,
    /// Rows that differ.
    pub differences: u64,
    /// The first of them.
    pub shown: Vec<DifferenceBody>,
}

/// One row that differs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DifferenceBody {
    /// The table.
    pub table: String,
    /// The row's key.
    pub key: Vec<String>,
    /// The row as it is; absent if there is none.
    pub live: Option<String>,
    /// The row as a rebuild makes it; absent if it makes none.
    pub rebuilt: Option<String>,
}

/// How far all views are.
#[utoipa::path(get, path = "/api/v1/views", tag = "views", security(("operator" = [])),
    responses((status = 200, body = Vec<ViewBody>), (status = 401, body = Problem)))]
pub async fn status(_: Admin, State(app): State<Arc<App>>) -> Result<Json<Vec<ViewBody>>, Refusal> {
    let mut all = Vec::new();
    for folder in app.folders() {
        all.extend(folder.status().await?.into_iter().map(ViewBody::from));
    }
    all.sort_by_key(|view| view.organization_id);
    Ok(Json(all))
}

/// Which views are rebuilt.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct RebuildQuery {
    /// Only this family; both if absent.
    pub family: Option<ViewFamily>,
}

/// A family of views.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum ViewFamily {
    /// What answers SCIM.
    Live,
    /// What answers auditors.
    Audit,
}

impl ViewFamily {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            ViewFamily::Live => Family::Live.as_str(),
            ViewFamily::Audit => Family::Audit.as_str(),
        }
    }
}

/// Rebuilds views from the log, beside those in use, and switches.
#[utoipa::path(post, path = "/api/v1/views/rebuild", tag = "views", params(RebuildQuery), security(("operator" = [])),
    responses((status = 200, body = Vec<RebuiltBody>), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn rebuild(_: Admin, State(app): State<Arc<App>>, Query(query): Query<RebuildQuery>) -> Result<Json<Vec<RebuiltBody>>, Refusal> {
    let mut all = Vec::new();
    for folder in app.folders() {
        let family = folder.family().as_str();
        if query.family.is_some_and(|only| only.as_str() != family) {
            continue;
        }
        let started = Instant::now();
        let done = folder.rebuild().await;
        app.engine.organizations_changed();
        let done = done?;
        all.push(RebuiltBody {
            family: family.to_owned(),
            records: done.records,
            exchanges: done.exchanges,
            seconds: started.elapsed().as_secs_f64(),
            stopped: done.stopped.keys().map(|id| id.0).collect(),
        });
    }
    Ok(Json(all))
}

/// Rebuilds all views in a scratch copy and compares row by row.
#[utoipa::path(post, path = "/api/v1/views/verify", tag = "views", security(("operator" = [])),
    responses((status = 200, body = VerifiedBody), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn verify(_: Admin, State(app): State<Arc<App>>) -> Result<Json<VerifiedBody>, Refusal> {
    let mut found = Differences::default();
    for folder in app.folders() {
        found.merge(folder.verify().await?);
    }
    let shown = found.shown.into_iter();
    Ok(Json(VerifiedBody {
        equal: found.count == 0,
        rows: found.rows,
        differences: found.count,
        shown: shown.map(|d| DifferenceBody { table: d.table.to_owned(), key: d.key, live: d.live, rebuilt: d.rebuilt }).collect(),
    }))
}

/// Tries again to fold the record at which an organization's views have stopped.
#[utoipa::path(post, path = "/api/v1/organizations/{organization}/views/resume", tag = "views", params(OrganizationPath), security(("operator" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn resume(_: Admin, State(app): State<Arc<App>>, Path(path): Path<OrganizationPath>) -> Result<StatusCode, Refusal> {
    let organization = path.find(&app).await?;
    let mut all = Ok(StatusCode::NO_CONTENT);
    for folder in app.folders() {
        let resumed = folder.resume(organization.id).await;
        app.engine.organizations_changed();
        match resumed {
            Ok(_) => {}
            Err(error @ FoldError::Stopped { .. }) => all = all.and(Err(Refusal::conflict(error.to_string()))),
            Err(error) => all = all.and(Err(Refusal::unavailable(&error))),
        }
    }
    all
}
