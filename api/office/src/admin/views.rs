//! Views: how far they are, rebuild, verify, resume.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::views::{
    ClaimDifferenceBody, ExchangeHoleBody, NotComparedBody, RebuildQuery, RebuiltBody,
    RowDifferenceBody, StoppedBody, VerifiedBody, ViewBody, ViewFamily,
};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{LogError, StreamId, exchange_holes};
use rollcall_domain::sql::Family;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::Operator;
use rollcall_projections::checkpoint::Stop;
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
        stopped: s.stopped.map(stopped),
    }
}

fn stopped(stop: Stop) -> StoppedBody {
    let reason = stop.reason.as_str().to_owned();
    StoppedBody { position: stop.position, reason, error: stop.error }
}

/// What was not compared: behind a record at which views have stopped, or would.
fn not_compared(
    families: &[ViewBody],
    stops: Vec<(Family, OrganizationId, Stop)>,
) -> Vec<NotComparedBody> {
    let own = families.iter().filter_map(|view| {
        let (organization_id, family) = (view.organization_id, view.family.clone());
        view.stopped.clone().map(|stopped| NotComparedBody { organization_id, family, stopped })
    });
    let mut all: Vec<_> = own.collect();
    for (family, organization, stop) in stops {
        let (organization_id, family) = (organization.0, family.as_str().to_owned());
        let is_told = |told: &NotComparedBody| {
            (told.organization_id, &told.family) == (organization_id, &family)
        };
        if !all.iter().any(is_told) {
            all.push(NotComparedBody { organization_id, family, stopped: stopped(stop) });
        }
    }
    all
}

/// What of the log was compared with itself.
#[derive(Default)]
struct Compared {
    claims: u64,
    claim_differences: Vec<ClaimDifferenceBody>,
    exchanges: u64,
    exchange_holes: Vec<ExchangeHoleBody>,
}

/// Holes that are named of one organization.
const HOLES: usize = 100;

/// Claims against records, and whether all exchanges are there.
async fn compare_log(app: &App) -> Result<Compared, LogError> {
    let mut all = Compared::default();
    for (organization, head) in app.engine.log.heads().await? {
        let organization_id = organization.0;
        match app.engine.compare_claims(organization).await {
            Ok(compared) => {
                all.claims += compared.claims;
                let id = |stream: Option<StreamId>| stream.map(|stream| stream.id);
                all.claim_differences.extend(compared.different.into_iter().map(|found| {
                    let kind = found.claim.kind.as_str().to_owned();
                    let (held_by, expected) = (id(found.held), id(found.expected));
                    ClaimDifferenceBody { organization_id, kind, held_by, expected }
                }));
            }
            // What is lost is told where views could not be compared.
            Err(LogError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
        let through = head.exchange_number;
        all.exchanges += through;
        let holes = exchange_holes(&*app.engine.log, organization, through, HOLES).await?;
        let holes = holes.into_iter().map(|number| ExchangeHoleBody { organization_id, number });
        all.exchange_holes.extend(holes);
    }
    Ok(all)
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
    let mut families = Vec::new();
    for folder in app.folders() {
        families.extend(folder.status().await?.into_iter().map(body));
        found.merge(folder.verify().await?);
    }
    let not_compared = not_compared(&families, found.stopped);
    let log = compare_log(&app).await?;
    let is_equal = found.count == 0
        && not_compared.is_empty()
        && log.claim_differences.is_empty()
        && log.exchange_holes.is_empty();
    Ok(Json(VerifiedBody {
        equal: is_equal,
        rows: found.rows,
        differences: found.count,
        families,
        not_compared,
        claims: log.claims,
        claim_differences: log.claim_differences,
        exchanges: log.exchanges,
        exchange_holes: log.exchange_holes,
        shown: found
            .shown
            .into_iter()
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
    let organization = operator.organization(&app, &path.organization).await?;
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
