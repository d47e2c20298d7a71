//! What Entra believes, and what was recorded.

use super::runs;
use axum::Json;
use axum::extract::State;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::provisioning_log::{CycleBody, MismatchBody, ReconciliationBody};
use rollcall_domain::provisioning_log::{CycleMatch, ImportedChange, Initiator, Mismatch};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::Auditor;
use rollcall_projections::runs::{Reconciled, RunExchange};
use std::sync::Arc;

fn cycle(cycle: CycleMatch) -> CycleBody {
    let initiator = cycle.initiator.map(|who| match who {
        Initiator::User => "user".to_owned(),
        Initiator::Service => "service".to_owned(),
    });
    CycleBody {
        cycle: cycle.cycle,
        run: cycle.run.0,
        initiator,
        changes: cycle.changes,
        exchanges: cycle.exchanges,
    }
}

fn mismatch(Reconciled { mismatch, exchange }: Reconciled) -> MismatchBody {
    let (difference, meaning, cycle, change) = match mismatch {
        Mismatch::NotSeen { cycle, change } => (
            "not-seen",
            "Entra says that it changed this resource; no request about it came in",
            cycle,
            Some(change),
        ),
        Mismatch::DoneHere { cycle, change, .. } => (
            "done-here",
            "Entra says that it failed; here it was done, so the answer was lost on the way: Entra will try again",
            cycle,
            Some(change),
        ),
        Mismatch::RefusedHere { cycle, change, .. } => (
            "refused-here",
            "Entra says that it was done; here it was refused",
            cycle,
            Some(change),
        ),
        Mismatch::NotInLog { cycle, .. } => (
            "not-in-log",
            "a request changed this resource; Entra's log does not name it",
            cycle,
            None,
        ),
    };
    shape(difference, meaning, cycle, change, exchange)
}

fn shape(
    difference: &str,
    meaning: &str,
    cycle: String,
    change: Option<ImportedChange>,
    exchange: Option<RunExchange>,
) -> MismatchBody {
    let said = change.as_ref();
    MismatchBody {
        difference: difference.to_owned(),
        meaning: meaning.to_owned(),
        cycle,
        at: said.map(|c| c.at).or(exchange.as_ref().map(|x| x.at)),
        action: said.map(|c| c.action.as_str().to_owned()),
        status: said.map(|c| c.status.as_str().to_owned()),
        error: said.and_then(|c| c.error.clone()),
        subject: said
            .and_then(|c| c.target.clone())
            .or(exchange.as_ref().and_then(|x| x.subject.clone())),
        exchange: exchange.as_ref().map(|x| x.id.0),
        operation: exchange.as_ref().map(|x| x.operation.clone()),
        answered: exchange.as_ref().map(|x| x.status),
        change: change.map(|c| c.change),
    }
}

/// What Entra's imported log and the recorded exchanges say of each other.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/reconciliation",
    tag = "audit",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = ReconciliationBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn reconcile(
    Auditor { organization, .. }: Auditor,
    State(app): State<Arc<App>>,
) -> Result<Json<ReconciliationBody>, Refusal> {
    let found = app.audit.of(organization).await?.runs.reconcile(organization).await?;
    let now = app.engine.clock.now();
    Ok(Json(ReconciliationBody {
        cycles: found.cycles.into_iter().map(cycle).collect(),
        unseen_cycles: found.unseen,
        differences: found.mismatches.into_iter().map(mismatch).collect(),
        unknown_runs: found.unknown_runs.into_iter().map(|run| runs::body(run, now)).collect(),
    }))
}
