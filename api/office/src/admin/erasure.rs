//! A person is erased, because an operator says so and why.

use super::because::because;
use axum::Json;
use axum::extract::{Path, State};
use rollcall_contract::Problem;
use rollcall_contract::erasure::{ErasePerson, ErasedBody};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::body_hashes::Sha256Hash;
use rollcall_domain::consumer::Payload;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::Position;
use rollcall_door::callers::Operator;
use rollcall_door::{App, Given, Refusal};
use rollcall_engine::{NotErased, Traces};
use std::sync::Arc;

/// Erases who a user was: deletes them if they are there, destroys the keys that what is personal
/// was sealed with, and erases what others said of them. The ledger stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/people/erase",
    tag = "operation",
    params(OrganizationPath),
    request_body = ErasePerson,
    security(("operator" = [])),
    responses(
        (status = 200, body = ErasedBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn erase(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
    Given(asked): Given<ErasePerson>,
) -> Result<Json<ErasedBody>, Refusal> {
    let organization = operator.organization(&app, &path.organization).await?.id;
    let (why, user) = (because(&asked.because)?, ResourceId(asked.user));
    if asked.dry_run {
        let traces = app.engine.traces(organization, user).await.map_err(refused)?;
        let at = traces.erased_at;
        return Ok(Json(body(&app, organization, user, traces, at, true).await?));
    }
    // Also if whoever asked goes away: somebody who is half erased is not erased.
    let done = tokio::spawn(async move {
        let done = app.engine.erase(organization, user, &why, asked.force, &operator.actor).await;
        let (traces, at) = done.map_err(refused)?;
        body(&app, organization, user, traces, Some(at), false).await
    });
    Ok(Json(done.await??))
}

async fn body(
    app: &App,
    organization: OrganizationId,
    user: ResourceId,
    traces: Traces,
    erased_at: Option<Position>,
    dry_run: bool,
) -> Result<ErasedBody, Refusal> {
    let ledger = app.engine.log.ledger_head(organization).await?.frontier;
    Ok(ErasedBody {
        organization_id: organization.0,
        user_id: user.0,
        dry_run,
        was_present: traces.is_present,
        held_at: traces.held_at,
        erased_at,
        records: traces.records,
        keys: traces.keys.into_iter().map(|key| key.0).collect(),
        logins: traces.logins.len() as u64,
        exchanges: traces.exchanges,
        consumers: told_everything(app, organization).await?,
        ledger_size: ledger.size(),
        ledger_root: Sha256Hash(ledger.root().0).to_string(),
    })
}

/// Consumers that are or were told what people are called. One that was removed keeps it.
pub(super) async fn told_everything(
    app: &App,
    organization: OrganizationId,
) -> Result<Vec<String>, Refusal> {
    let consumers = app.consumers.ever(organization).await?;
    let told = consumers.into_iter().filter(|consumer| consumer.payload == Payload::Full);
    Ok(told.map(|consumer| consumer.name).collect())
}

pub(super) fn refused(error: NotErased) -> Refusal {
    match error {
        NotErased::Unknown(_) | NotErased::NoOrganization => Refusal::not_found(error.to_string()),
        NotErased::Active
        | NotErased::Held
        | NotErased::Unreadable
        | NotErased::InTheClear
        | NotErased::NeverChanges => Refusal::conflict(error.to_string()),
        NotErased::Log(_)
        | NotErased::Fold(_)
        | NotErased::Command(_)
        | NotErased::Organization(_) => Refusal::unavailable(&error),
    }
}
