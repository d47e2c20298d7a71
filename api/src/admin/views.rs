//! Views: how far they are, rebuild, verify, resume.

use super::guard::{Admin, OrganizationPath};
use crate::problem::Problem;
use crate::state::App;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use rollcall_projections::fold::FoldError;
use rollcall_projections::status::ViewStatus;
use rollcall_projections::verify::verify as compare;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

/// How far one organization's views are.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ViewBody {
    /// The organization; the nil id stands for exchanges that named none.
    pub organization_id: Uuid,
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
pub async fn status(_: Admin, State(app): State<Arc<App>>) -> Result<Json<Vec<ViewBody>>, Problem> {
    let status = app.engine.folder.status().await.map_err(|e| Problem::unavailable(&e))?;
    Ok(Json(status.into_iter().map(ViewBody::from).collect()))
}

/// Rebuilds all views from the log, beside the live ones, and switches.
#[utoipa::path(post, path = "/api/v1/views/rebuild", tag = "views", security(("operator" = [])),
    responses((status = 200, body = RebuiltBody), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn rebuild(_: Admin, State(app): State<Arc<App>>) -> Result<Json<RebuiltBody>, Problem> {
    let started = Instant::now();
    let done = app.engine.folder.rebuild().await;
    app.engine.organizations_changed();
    let done = done.map_err(|e| Problem::unavailable(&e))?;
    Ok(Json(RebuiltBody {
        records: done.records,
        exchanges: done.exchanges,
        seconds: started.elapsed().as_secs_f64(),
        stopped: done.stopped.keys().map(|id| id.0).collect(),
    }))
}

/// Rebuilds all views in a scratch copy and compares row by row.
#[utoipa::path(post, path = "/api/v1/views/verify", tag = "views", security(("operator" = [])),
    responses((status = 200, body = VerifiedBody), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn verify(_: Admin, State(app): State<Arc<App>>) -> Result<Json<VerifiedBody>, Problem> {
    let found = compare(app.engine.log.clone(), app.engine.views.clone()).await.map_err(|e| Problem::unavailable(&e))?;
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
pub async fn resume(_: Admin, State(app): State<Arc<App>>, Path(path): Path<OrganizationPath>) -> Result<StatusCode, Problem> {
    let organization = path.find(&app).await?;
    let resumed = app.engine.folder.resume(organization.id).await;
    app.engine.organizations_changed();
    match resumed {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(error @ FoldError::Stopped { .. }) => Err(Problem::conflict(error.to_string())),
        Err(error) => Err(Problem::unavailable(&error)),
    }
}
