//! What a replay is asked for.

use crate::Replaying;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use rollcall_domain::ids::{ExchangeId, OrganizationId, RunId};
use rollcall_domain::interpretation::Reading;
use rollcall_domain::log::ExchangeNumber;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_replay::{Bound, Selection};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;
use uuid::Uuid;

/// Which exchanges, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReplayRequest {
    /// Only these exchanges.
    pub exchanges: Vec<Uuid>,
    /// Only those that were answered with an error.
    pub failed: bool,
    /// Only those of this run.
    pub run: Option<Uuid>,
    /// From this position or instant on, inclusive.
    pub from: Option<String>,
    /// Up to this position or instant, inclusive.
    pub to: Option<String>,
    /// A line for every exchange, also for those that came out as recorded (verify).
    pub all: bool,
    /// Liberties that are not taken, by name: what would break without them (verify, dry run)?
    pub without: Vec<String>,
    /// Also those that succeeded, or that later requests have overtaken (apply).
    pub force: bool,
}

impl ReplayRequest {
    /// The body of a request; without one, all exchanges.
    pub fn read(body: Result<Json<Self>, JsonRejection>) -> Result<Self, Refusal> {
        body.map(|Json(request)| request).map_err(|e| Refusal::bad_request(e.body_text()))
    }

    /// Which exchanges.
    pub async fn selection(&self, app: &App, organization: OrganizationId) -> Result<Selection, Refusal> {
        let numbers = match self.run {
            Some(run) => Some(numbers(app, organization, RunId(run)).await?),
            None => None,
        };
        let bound = |text: &Option<String>| text.as_deref().map(str::parse::<Bound>).transpose().map_err(Refusal::bad_request);
        Ok(Selection {
            exchanges: self.exchanges.iter().copied().map(ExchangeId).collect(),
            numbers,
            failed: self.failed,
            from: bound(&self.from)?,
            to: bound(&self.to)?,
        })
    }

    /// Liberties that are not taken.
    pub fn refused(&self) -> Result<BTreeSet<Reading>, Refusal> {
        let parse = |name: &String| Reading::parse(name).ok_or_else(|| Refusal::bad_request(format!("there is no reading {name:?}")));
        self.without.iter().map(parse).collect()
    }
}

/// The numbers of a run's exchanges.
async fn numbers(app: &App, organization: OrganizationId, run: RunId) -> Result<BTreeSet<ExchangeNumber>, Refusal> {
    app.audit.fold(organization).await?;
    let found = app.runs.numbers(organization, run).await?;
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
