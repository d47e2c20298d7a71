//! What Entra believes, and what was recorded.

use super::guard::Auditor;
use super::runs::{RunBody, folded};
use crate::admin::OrganizationPath;
use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_domain::provisioning_log::{CycleMatch, ImportedChange, Initiator, Mismatch};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_projections::runs::{Reconciled, RunExchange};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// What Entra believes, and what was recorded, for the time that was imported.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReconciliationBody {
    /// Entra's cycles and the runs that stand for them.
    pub cycles: Vec<CycleBody>,
    /// Cycles of which nothing came in.
    pub unseen_cycles: Vec<String>,
    /// Where the two differ in what was done.
    pub differences: Vec<MismatchBody>,
    /// Runs with changes of which Entra's log knows nothing.
    pub unknown_runs: Vec<RunBody>,
}

/// A cycle of Entra's log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CycleBody {
    /// Entra's id of it.
    pub cycle: String,
    /// The run that stands for it.
    pub run: Uuid,
    /// `user` for a run on demand, `service` for a cycle; absent if the log does not say.
    pub initiator: Option<String>,
    /// Changes that Entra names in it.
    pub changes: u64,
    /// Exchanges that were found for them.
    pub exchanges: u64,
}

/// One difference.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MismatchBody {
    /// `not-seen`, `done-here`, `refused-here` or `not-in-log`.
    pub difference: String,
    /// The same in words.
    pub meaning: String,
    /// Entra's id of the cycle.
    pub cycle: String,
    /// Entra's id of the change.
    pub change: Option<String>,
    /// When: as Entra says, or when the exchange came in.
    pub at: Option<DateTime<Utc>>,
    /// What Entra says it did.
    pub action: Option<String>,
    /// How it ended, as Entra says.
    pub status: Option<String>,
    /// Entra's name of the error.
    pub error: Option<String>,
    /// The resource.
    pub subject: Option<String>,
    /// The exchange.
    pub exchange: Option<Uuid>,
    /// What the exchange asked for.
    pub operation: Option<String>,
    /// What it was answered.
    pub answered: Option<u16>,
}

impl From<CycleMatch> for CycleBody {
    fn from(cycle: CycleMatch) -> Self {
        let initiator = cycle.initiator.map(|who| match who {
            Initiator::User => "user".to_owned(),
            Initiator::Service => "service".to_owned(),
        });
        Self { cycle: cycle.cycle, run: cycle.run.0, initiator, changes: cycle.changes, exchanges: cycle.exchanges }
    }
}

impl From<Reconciled> for MismatchBody {
    fn from(Reconciled { mismatch, exchange }: Reconciled) -> Self {
        let (difference, meaning, cycle, change) = match mismatch {
            Mismatch::NotSeen { cycle, change } => {
                ("not-seen", "Entra says that it changed this resource; no request about it came in", cycle, Some(change))
            }
            Mismatch::DoneHere { cycle, change, .. } => (
                "done-here",
                "Entra says that it failed; here it was done, so the answer was lost on the way: Entra will try again",
                cycle,
                Some(change),
            ),
            Mismatch::RefusedHere { cycle, change, .. } => {
                ("refused-here", "Entra says that it was done; here it was refused", cycle, Some(change))
            }
            Mismatch::NotInLog { cycle, .. } => {
                ("not-in-log", "a request changed this resource; Entra's log does not name it", cycle, None)
            }
        };
        shape(difference, meaning, cycle, change, exchange)
    }
}

fn shape(difference: &str, meaning: &str, cycle: String, change: Option<ImportedChange>, exchange: Option<RunExchange>) -> MismatchBody {
    let said = change.as_ref();
    MismatchBody {
        difference: difference.to_owned(),
        meaning: meaning.to_owned(),
        cycle,
        at: said.map(|c| c.at).or(exchange.as_ref().map(|x| x.at)),
        action: said.map(|c| c.action.as_str().to_owned()),
        status: said.map(|c| c.status.as_str().to_owned()),
        error: said.and_then(|c| c.error.clone()),
        subject: said.and_then(|c| c.target.clone()).or(exchange.as_ref().and_then(|x| x.subject.clone())),
        exchange: exchange.as_ref().map(|x| x.id.0),
        operation: exchange.as_ref().map(|x| x.operation.clone()),
        answered: exchange.as_ref().map(|x| x.status),
        change: change.map(|c| c.change),
    }
}

/// What Entra's imported log and the recorded exchanges say of each other.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/reconciliation", tag = "audit", params(OrganizationPath), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = ReconciliationBody), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn reconcile(
    _: Auditor,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
) -> Result<Json<ReconciliationBody>, Refusal> {
    let organization = folded(&app, &path).await?;
    let found = app.runs.reconcile(organization).await?;
    let now = app.engine.clock.now();
    Ok(Json(ReconciliationBody {
        cycles: found.cycles.into_iter().map(CycleBody::from).collect(),
        unseen_cycles: found.unseen,
        differences: found.mismatches.into_iter().map(MismatchBody::from).collect(),
        unknown_runs: found.unknown_runs.into_iter().map(|run| RunBody::new(run, now)).collect(),
    }))
}
