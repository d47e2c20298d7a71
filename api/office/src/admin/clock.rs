//! Sets a clock right that ran ahead for a while.

use super::because::because;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_contract::log::{ClockCorrectedBody, CorrectClock};
use rollcall_domain::context::Context;
use rollcall_domain::deployment::ClockCorrected;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, StreamId};
use rollcall_domain::organization::{Organization, OrganizationCommand};
use rollcall_door::callers::Operator;
use rollcall_door::{App, Given, Refusal};
use rollcall_engine::Order;
use rollcall_engine::clock::Skew;
use std::sync::Arc;
use std::time::Duration;

/// Other processes look at the clock once a second.
const OTHERS_HAVE_LOOKED: Duration = Duration::from_secs(3);

/// Lets time go back to the clock, which had run ahead and is right now: as an event that says why,
/// and one in each organization with records that say to be later than this. What was recorded
/// until then counts as recorded no later than that.
#[utoipa::path(
    post,
    path = "/api/v1/log/clock",
    tag = "operation",
    request_body = CorrectClock,
    security(("operator" = [])),
    responses(
        (status = 200, body = ClockCorrectedBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 409, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn correct(
    operator: Operator,
    State(app): State<Arc<App>>,
    Given(CorrectClock { because: text }): Given<CorrectClock>,
) -> Result<Json<ClockCorrectedBody>, Refusal> {
    let why = because(&text)?;
    let skew = app.engine.look_at_the_clock().await?;
    let now = app.engine.clock.now() + skew.log;
    if skew.log >= -Skew::MOST && ahead(&app, now + Skew::MOST).await?.is_empty() {
        return Err(Refusal::conflict(
            "nothing was recorded ahead of the clock: there is nothing to set right",
        ));
    }
    // Also if whoever asked goes away.
    let done = tokio::spawn(async move { turn_back(&operator, &app, why).await });
    Ok(Json(done.await??))
}

async fn turn_back(
    operator: &Operator,
    app: &App,
    because: String,
) -> Result<ClockCorrectedBody, Refusal> {
    let was = app.engine.turn_back_the_clock().await?;
    operator.correct_clock(app, ClockCorrected { because, was }, StatusCode::OK).await?;
    if app.shared {
        tokio::time::sleep(OTHERS_HAVE_LOOKED).await;
    }
    let is = app.engine.clock.now();
    let mut organizations = Vec::new();
    for (organization, until) in ahead(app, is).await? {
        // Bounded by what was just appended to its log.
        if organization == OrganizationId::NONE {
            continue;
        }
        let (kind, id) = (AggregateKind::Organization, organization.0);
        let context = Context::new(app.engine.clock.now(), operator.actor.clone(), None);
        let order = Order::<Organization>::unasked(
            StreamId { organization, kind, id },
            OrganizationCommand::BoundTimes { until },
            context,
        );
        app.engine.execute(order).await?;
        organizations.push(organization.0);
    }
    Ok(ClockCorrectedBody { was, is, organizations })
}

/// Which organizations have come to an instant after this one by what they recorded, and to which.
async fn ahead(
    app: &App,
    now: DateTime<Utc>,
) -> Result<Vec<(OrganizationId, DateTime<Utc>)>, Refusal> {
    let mut ahead = Vec::new();
    for (organization, _) in app.engine.log.heads().await? {
        let views = app.audit.of(organization).await?;
        let reached = views.history.reached_at(organization).await?;
        ahead.extend(reached.filter(|at| *at > now).map(|at| (organization, at)));
    }
    Ok(ahead)
}
