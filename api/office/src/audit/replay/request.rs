//! What a replay is asked for.

use crate::Replaying;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use rollcall_contract::replay::ReplayRequest;
use rollcall_domain::ids::{ExchangeId, OrganizationId, RunId};
use rollcall_domain::interpretation::Reading;
use rollcall_domain::log::ExchangeNumber;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_replay::{Bound, Selection};
use std::collections::BTreeSet;
use tokio::sync::OwnedSemaphorePermit;

/// The body of a request; without one, all exchanges.
pub fn read(body: Result<Json<ReplayRequest>, JsonRejection>) -> Result<ReplayRequest, Refusal> {
    body.map(|Json(request)| request).map_err(|e| Refusal::bad_request(e.body_text()))
}

/// Which exchanges.
pub async fn selection(
    app: &App,
    organization: OrganizationId,
    request: &ReplayRequest,
) -> Result<Selection, Refusal> {
    let numbers = match request.run {
        Some(run) => Some(numbers(app, organization, RunId(run)).await?),
        None => None,
    };
    let bound = |text: &Option<String>| {
        text.as_deref().map(str::parse::<Bound>).transpose().map_err(Refusal::bad_request)
    };
    Ok(Selection {
        exchanges: request.exchanges.iter().copied().map(ExchangeId).collect(),
        numbers,
        failed: request.failed,
        from: bound(&request.from)?,
        to: bound(&request.to)?,
    })
}

/// Liberties that are not taken.
pub fn refused(request: &ReplayRequest) -> Result<BTreeSet<Reading>, Refusal> {
    let parse = |name: &String| {
        Reading::parse(name)
            .ok_or_else(|| Refusal::bad_request(format!("there is no reading {name:?}")))
    };
    request.without.iter().map(parse).collect()
}

/// The numbers of a run's exchanges.
async fn numbers(
    app: &App,
    organization: OrganizationId,
    run: RunId,
) -> Result<BTreeSet<ExchangeNumber>, Refusal> {
    let found = app.audit.of(organization).await?.runs.numbers(organization, run).await?;
    if found.is_empty() {
        return Err(Refusal::not_found(format!("there is no run {run} here")));
    }
    Ok(found.into_iter().collect())
}

/// The right to replay: one at a time.
pub fn permit(replaying: &Replaying) -> Result<OwnedSemaphorePermit, Refusal> {
    let busy = |_| Refusal::conflict("another replay is running: wait for its end");
    replaying.0.clone().try_acquire_owned().map_err(busy)
}
