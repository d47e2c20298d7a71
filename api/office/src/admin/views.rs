//! Views: how far they are, rebuild, verify, resume.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::views::{
    RebuildQuery, RebuiltBody, RowDifferenceBody, StoppedBody, VerifiedBody, ViewBody, ViewFamily,
};
use rollcall_domain::sql::Family;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::{Operator, find};
use rollcall_projections::fold::FoldError;
use rollcall_projections::status::ViewStatus;
use rollcall_projections::verify::Differences;
use std::sync::Arc;
use std::time::Instant;

fn body(s: ViewStatus) -> ViewBody {
    ViewBody {
        organization_id: s.organization.0,
        family: s.family.as_str().to_owned(),
        position: s.position,
        head: s.head,
        exchange_number: s.exchange_number,
        exchange_head: s.exchange_head,
        stopped: s.stopped.map(|stop| StoppedBody { position: stop.position, error: stop.error }),
    }
}

/// How far all views are.
#[utoipa::path(get, path = "/api/v1/views", tag = "views", security(("operator" = [])),
    responses((status = 200, body = Vec<ViewBody>), (status = 401, body = Problem)))]
pub async fn status(
    _: Operator,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<ViewBody>>, Refusal> {
    let mut all = Vec::new();
    for folder in app.folders() {
        all.extend(folder.status().await?.into_iter().map(body));
    }
    all.sort_by_key(|view| view.organization_id);
    Ok(Json(all))
}

fn known(family: ViewFamily) -> Family {
    match family {
        ViewFamily::Live => Family::Live,
        ViewFamily::Audit => Family::Audit,
    }
}

/// Rebuilds views from the log, beside those in use, and switches.
#[utoipa::path(
    post,
    path = "/api/v1/views/rebuild",
    tag = "views",
    params(RebuildQuery),
    security(("operator" = [])),
    responses(
        (status = 200, body = Vec<RebuiltBody>),
        (status = 401, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn rebuild(
    _: Operator,
    State(app): State<Arc<App>>,
    Query(query): Query<RebuildQuery>,
) -> Result<Json<Vec<RebuiltBody>>, Refusal> {
    let mut all = Vec::new();
    for folder in app.folders() {
        let family = folder.family();
        if query.family.is_some_and(|only| known(only) != family) {
            continue;
        }
        let started = Instant::now();
        let done = folder.rebuild().await;
        app.engine.organizations_changed();
        let done = done?;
        all.push(RebuiltBody {
            family: family.as_str().to_owned(),
            records: done.records,
            exchanges: done.exchanges,
            seconds: started.elapsed().as_secs_f64(),
            stopped: done.stopped.keys().map(|id| id.0).collect(),
        });
    }
    Ok(Json(all))
}

/// Rebuilds all views in a scratch copy and compares row by row.
#[utoipa::path(
    post,
    path = "/api/v1/views/verify",
    tag = "views",
    security(("operator" = [])),
    responses(
        (status = 200, body = VerifiedBody),
        (status = 401, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn verify(
    _: Operator,
    State(app): State<Arc<App>>,
) -> Result<Json<VerifiedBody>, Refusal> {
    let mut found = Differences::default();
    for folder in app.folders() {
        found.merge(folder.verify().await?);
    }
    let shown = found.shown.into_iter();
    Ok(Json(VerifiedBody {
        equal: found.count == 0,
        rows: found.rows,
        differences: found.count,
        shown: shown
            .map(|d| RowDifferenceBody {
                table: d.table.to_owned(),
                key: d.key,
                live: d.live,
                rebuilt: d.rebuilt,
            })
            .collect(),
    }))
}

/// Tries again to fold the record at which an organization's views have stopped.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/views/resume",
    tag = "views",
    params(OrganizationPath),
    security(("operator" = [])),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn resume(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
) -> Result<StatusCode, Refusal> {
    let organization = find(&app, &path.organization).await?;
    operator.concerns(organization.id);
    let mut all = Ok(StatusCode::NO_CONTENT);
    for folder in app.folders() {
        let resumed = folder.resume(organization.id).await;
        app.engine.organizations_changed();
        match resumed {
            Ok(_) => {}
            Err(error @ FoldError::Stopped { .. }) => {
                all = all.and(Err(Refusal::conflict(error.to_string())))
            }
            Err(error) => all = all.and(Err(Refusal::unavailable(&error))),
        }
    }
    all
}
