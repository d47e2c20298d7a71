//! Which log is served; and that an operator lets one count that is not the one that was known.

use super::because::because;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::log::{AcceptLog, ClosedBody, LogBody, LostBody};
use rollcall_domain::deployment::{LogAccepted, LostTail};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Closed, Head, Known, LogError};
use rollcall_door::callers::Operator;
use rollcall_door::{App, Given, Refusal};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which log is served, and whether it is.
#[utoipa::path(get, path = "/api/v1/log", tag = "operation", security(("operator" = [])),
    responses((status = 200, body = LogBody), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn show(_: Operator, State(app): State<Arc<App>>) -> Result<Json<LogBody>, Refusal> {
    Ok(Json(body(&app).await?))
}

/// Lets the log count as it is, although it is not the one that was known: as an event that says
/// what was noticed, what is lost, and why. All views are made anew, and the log gets another epoch.
#[utoipa::path(
    post,
    path = "/api/v1/log/accept",
    tag = "operation",
    request_body = AcceptLog,
    security(("operator" = [])),
    responses(
        (status = 200, body = LogBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 409, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn accept(
    operator: Operator,
    State(app): State<Arc<App>>,
    Given(AcceptLog { because: text }): Given<AcceptLog>,
) -> Result<Json<LogBody>, Refusal> {
    let because = because(&text)?;
    let Some((why, known)) = app.engine.accept_log().await? else {
        return Err(Refusal::conflict(match app.engine.closed() {
            None => "the log is the one that is known: there is nothing to accept".to_owned(),
            Some(why) if why.can_be_accepted() => "the log is being accepted already".to_owned(),
            Some(why) => why.to_string(),
        }));
    };
    let (doing, before) = (app.clone(), known.clone());
    // Also if whoever asked goes away: a log that is half accepted serves nobody.
    let done = tokio::spawn(async move {
        if let Err(refusal) = say(&operator, &doing, because, why, &before).await {
            doing.engine.leave_closed(before);
            return Err(refusal);
        }
        Ok(())
    });
    match done.await {
        Ok(done) => done?,
        Err(panicked) => {
            app.engine.leave_closed(known);
            return Err(panicked.into());
        }
    }
    Ok(Json(body(&app).await?))
}

/// Says it in the log, and makes all anew that rests on it.
async fn say(
    operator: &Operator,
    app: &App,
    because: String,
    why: Closed,
    known: &Known,
) -> Result<(), Refusal> {
    let epoch = app.engine.log.epoch().await?;
    let next_epoch = app.engine.ids.epoch();
    let accepted = LogAccepted {
        because,
        noticed: why.as_str().to_owned(),
        known_epoch: known.epoch,
        epoch,
        next_epoch,
        lost: lost(app, known).await?,
    };
    operator.accept_log(app, accepted, StatusCode::OK).await?;
    let settled = app.engine.settle_log(next_epoch, known.clone()).await;
    settled.map_err(|error| Refusal::unavailable(&error))
}

/// Of which organizations more was known than there is.
async fn lost(app: &App, known: &Known) -> Result<Vec<LostTail>, LogError> {
    let heads: BTreeMap<OrganizationId, Head> = app.engine.log.heads().await?.into_iter().collect();
    let tails = known.marks.iter().map(|(organization, mark)| {
        let head = heads.get(organization).copied().unwrap_or_default();
        LostTail {
            organization: *organization,
            known_position: mark.position,
            known_exchange: mark.exchange_number,
            position: head.position,
            exchange: head.exchange_number,
        }
    });
    Ok(tails.filter(|t| t.position < t.known_position || t.exchange < t.known_exchange).collect())
}

async fn body(app: &App) -> Result<LogBody, Refusal> {
    let lost = lost(app, &app.engine.known()).await?.into_iter().map(|tail| LostBody {
        organization_id: tail.organization.0,
        known_position: tail.known_position,
        known_exchange: tail.known_exchange,
        position: tail.position,
        exchange: tail.exchange,
    });
    Ok(LogBody {
        epoch: app.engine.log.epoch().await?,
        closed: app
            .engine
            .closed()
            .map(|why| ClosedBody { reason: why.as_str().to_owned(), detail: why.to_string() }),
        lost: lost.collect(),
    })
}
