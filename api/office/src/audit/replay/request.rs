//! What a replay is asked for.

use crate::Replaying;
use crate::audit::moment;
use rollcall_contract::moment::Written;
use rollcall_contract::replay::ReplayRequest;
use rollcall_domain::ids::{ExchangeId, OrganizationId, RunId};
use rollcall_domain::interpretation::Reading;
use rollcall_domain::log::ExchangeNumber;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_replay::{Bound, Selection};
use serde_json::json;
use std::collections::BTreeSet;
use tokio::sync::OwnedSemaphorePermit;

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
    for id in &request.exchanges {
        if app.engine.log.exchange(organization, ExchangeId(*id)).await?.is_none() {
            return Err(Refusal::not_found(format!("there is no exchange {id} here")));
        }
    }
    let (from, to) = (
        bound(app, organization, "from", request.from.as_deref()).await?,
        bound(app, organization, "to", request.to.as_deref()).await?,
    );
    Ok(Selection {
        exchanges: request.exchanges.iter().copied().map(ExchangeId).collect(),
        numbers,
        failed: request.failed,
        from,
        to,
    })
}

/// An end of the range: a moment, or a bare position as before.
async fn bound(
    app: &App,
    organization: OrganizationId,
    parameter: &str,
    text: Option<&str>,
) -> Result<Option<Bound>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    if let Ok(position) = text.parse() {
        return Ok(Some(Bound::Position(position)));
    }
    Ok(Some(match moment::read(parameter, text)? {
        Written::Position(position) => Bound::Position(position),
        Written::Run(run) => {
            let views = app.audit.of(organization).await?;
            Bound::Position(moment::end_of(app, &views, organization, RunId(run)).await?)
        }
        written => Bound::Instant(moment::instant(parameter, written, app.engine.right_now())?),
    }))
}

/// Liberties that are not taken.
pub fn refused(request: &ReplayRequest) -> Result<BTreeSet<Reading>, Refusal> {
    // What cannot be read says what could be.
    let parse = |name: &String| {
        serde_json::from_value(json!(name)).map_err(|all| {
            Refusal::parameter("without", format!("there is no reading {name:?}: {all}"))
        })
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
