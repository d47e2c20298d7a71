//! What of an organization's log was lost, and what is done about it.

use super::because::because as reason;
use axum::Json;
use axum::extract::{Path, State};
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::repair::{LostRecordBody, RepairLog, RepairPlanBody, RepairedBody};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, Record, StreamId};
use rollcall_door::callers::Operator;
use rollcall_door::{App, Given, Refusal};
use rollcall_engine::{Loss, NotRepaired, PassedOver};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What of an organization's log is missing or cannot be read, and what can be done about it.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/log/repair",
    tag = "operation",
    params(OrganizationPath),
    security(("operator" = [])),
    responses(
        (status = 200, body = RepairPlanBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn plan(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
) -> Result<Json<RepairPlanBody>, Refusal> {
    let organization = known(&operator, &app, &path).await?;
    let losses = app.engine.losses(organization).await?;
    let kinds: Vec<_> = losses.iter().map(|loss| loss.of.map(|(stream, _)| stream)).collect();
    Ok(Json(RepairPlanBody {
        organization_id: organization.0,
        epoch: app.engine.log.epoch().await?,
        can_be_accepted: !losses.is_empty() && !losses.iter().any(Loss::is_the_beginning),
        then: then(&kinds),
        lost: losses.iter().map(lost).collect(),
    }))
}

/// Puts records of a backup back that were lost, or lets the log count without them: where each was
/// then stands an event that says so. What cannot be shown to be the record that was lost is refused.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/log/repair",
    tag = "operation",
    params(OrganizationPath),
    request_body = RepairLog,
    security(("operator" = [])),
    responses(
        (status = 200, body = RepairedBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn repair(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
    Given(RepairLog { records, because }): Given<RepairLog>,
) -> Result<Json<RepairedBody>, Refusal> {
    let organization = known(&operator, &app, &path).await?;
    let (mut put_back, mut passed) = (Vec::new(), Vec::new());
    match because {
        Some(text) if records.is_empty() => {
            let because = reason(&text)?;
            let done = app.engine.pass_over(organization, &because, &operator.actor).await;
            passed = done.map_err(refused)?;
        }
        None if !records.is_empty() => {
            let records = records.into_iter().map(serde_json::from_value::<Record>);
            let records: Result<Vec<_>, _> = records.collect();
            let records = records.map_err(|_| {
                Refusal::bad_request(
                    "one of the records is none: give those of a backup as they are",
                )
            })?;
            put_back = app.engine.put_back(organization, records).await.map_err(refused)?;
        }
        _ => {
            return Err(Refusal::bad_request(
                "give either records of a backup, or why the log is to count without them",
            ));
        }
    }
    let left = app.engine.losses(organization).await?;
    let streams: Vec<_> = passed.iter().map(|passed| passed.stream).collect();
    Ok(Json(RepairedBody {
        put_back,
        then: then(&streams),
        passed_over: passed.iter().map(passed_over).collect(),
        lost: left.iter().map(lost).collect(),
    }))
}

/// The organization of a path: also one that no view knows, because what brought it into being was
/// lost, by its id.
async fn known(
    operator: &Operator,
    app: &App,
    path: &OrganizationPath,
) -> Result<OrganizationId, Refusal> {
    match operator.organization(app, &path.organization).await {
        Ok(found) => Ok(found.id),
        Err(refusal) => {
            let id = path.organization.parse::<OrganizationId>().map_err(|_| refusal.clone())?;
            let head = app.engine.log.head(id).await?;
            if head.position == 0 {
                return Err(refusal);
            }
            operator.concerns(id);
            Ok(id)
        }
    }
}

fn refused(error: NotRepaired) -> Refusal {
    match error {
        NotRepaired::NothingLost
        | NotRepaired::NotTheOne(_)
        | NotRepaired::NotShown
        | NotRepaired::NoOrganization
        | NotRepaired::NotHere => Refusal::conflict(error.to_string()),
        NotRepaired::Fold(error) => error.into(),
        NotRepaired::Log(_) | NotRepaired::Payload(_) => Refusal::unavailable(&error),
    }
}

/// What is to be done once the log counts without what was lost of these.
fn then(streams: &[Option<StreamId>]) -> Vec<String> {
    let told = streams.iter().flat_map(|stream| match stream.map(|stream| stream.kind) {
        Some(AggregateKind::User | AggregateKind::Group) => vec!["restart-provisioning"],
        Some(_) => vec!["review-credentials"],
        None => vec!["restart-provisioning", "review-credentials"],
    });
    let all: BTreeSet<&str> = told.collect();
    all.into_iter().map(str::to_owned).collect()
}

fn lost(loss: &Loss) -> LostRecordBody {
    body(loss.position, loss.damage.as_str(), loss.of.map(|(stream, _)| stream))
}

fn passed_over(passed: &PassedOver) -> LostRecordBody {
    body(passed.position, passed.was, passed.stream)
}

fn body(position: u64, was: &str, stream: Option<StreamId>) -> LostRecordBody {
    LostRecordBody {
        position,
        was: was.to_owned(),
        aggregate: stream.map(|stream| stream.kind.as_str().to_owned()),
        subject: stream.map(|stream| stream.id),
    }
}
