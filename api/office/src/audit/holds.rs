//! Who is held: nobody may erase them.

use super::events::{ReadError, page};
use axum::Json;
use axum::extract::State;
use rollcall_contract::Problem;
use rollcall_contract::events::EventBody;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::people::HoldBody;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::organization::OrganizationEventKind;
use rollcall_domain::user::UserEventKind;
use rollcall_door::audit::Reads;
use rollcall_door::callers::Auditor;
use rollcall_door::{App, Refusal};
use rollcall_projections::events::EventFilter;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// So many events are read at once.
const PAGE: usize = 500;

/// Everybody who is held now, all of them, in the order in which they were.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/people/holds",
    tag = "audit",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, body = Vec<HoldBody>),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn list(
    auditor: Auditor,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<HoldBody>>, Refusal> {
    held(&app, auditor.organization).await.map(Json)
}

/// Everybody who is held now.
///
/// # Errors
/// If the log or its views cannot be read.
pub async fn held(app: &App, organization: OrganizationId) -> Result<Vec<HoldBody>, Refusal> {
    let views = app.audit.of(organization).await?;
    let mut turns = Vec::new();
    for kind in [UserEventKind::Held, UserEventKind::Released, UserEventKind::Erased] {
        turns.extend(all(app, &views, organization, kind.as_str()).await?);
    }
    let mut holds: Vec<HoldBody> = in_force(turns).collect();
    holds.sort_by_key(|hold| hold.position);
    Ok(holds)
}

/// Everybody who was erased, and the organization itself, in the order in which it was said.
///
/// # Errors
/// If the log or its views cannot be read.
pub async fn erased(app: &App, organization: OrganizationId) -> Result<Vec<EventBody>, Refusal> {
    let views = app.audit.of(organization).await?;
    let mut erased = all(app, &views, organization, UserEventKind::Erased.as_str()).await?;
    erased.extend(all(app, &views, organization, OrganizationEventKind::Erased.as_str()).await?);
    Ok(erased)
}

/// All events of one kind.
async fn all(
    app: &App,
    views: &Reads,
    organization: OrganizationId,
    event_type: &str,
) -> Result<Vec<EventBody>, ReadError> {
    let event_type = Some(event_type.to_owned());
    let mut filter = EventFilter { event_type, ..EventFilter::default() };
    let mut all = Vec::new();
    loop {
        let found = page(app, Some(views), organization, &filter, PAGE).await?;
        let Some(last) = found.last() else { return Ok(all) };
        filter.after = last.position;
        all.extend(found);
    }
}

/// The holds that the last word on each person left in force.
pub(super) fn in_force(mut turns: Vec<EventBody>) -> impl Iterator<Item = HoldBody> {
    turns.sort_by_key(|event| event.position);
    let last: BTreeMap<Uuid, EventBody> =
        turns.into_iter().map(|event| (event.subject, event)).collect();
    last.into_values().filter(|event| event.event_type == UserEventKind::Held.as_str()).map(hold)
}

/// Whether an event says that somebody is held, or is not.
pub(super) fn is_turn(event: &EventBody) -> bool {
    [UserEventKind::Held, UserEventKind::Released, UserEventKind::Erased]
        .iter()
        .any(|kind| event.event_type == kind.as_str())
}

fn hold(event: EventBody) -> HoldBody {
    HoldBody {
        user_id: event.subject,
        position: event.position,
        since: event.recorded_at,
        because: event.payload["because"].as_str().unwrap_or_default().to_owned(),
        actor: event.actor,
    }
}
