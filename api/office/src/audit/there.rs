//! Whether what a question names is there at all. Of what nobody ever heard of, an empty answer
//! would be misleading: it is refused, with the list of what there is where that is short.

use rollcall_contract::events::EventQuery;
use rollcall_domain::actor::Actor;
use rollcall_domain::event;
use rollcall_domain::exchange::OPERATIONS;
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_projections::events::EventFilter;
use std::sync::LazyLock;
use uuid::Uuid;

/// What can be asked, of every door.
static ASKED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let described = crate::routes().into_openapi().paths.paths;
    let described = described.into_values().flat_map(|item| {
        [item.get, item.post, item.put, item.patch, item.delete].into_iter().flatten()
    });
    let mut all: Vec<String> = described.filter_map(|operation| operation.operation_id).collect();
    all.extend(OPERATIONS.iter().map(ToString::to_string));
    all.sort();
    all.dedup();
    all
});

/// An operation, such as `users.patch`.
pub fn operation(name: &str) -> Result<(), Refusal> {
    if ASKED.iter().any(|known| known == name) {
        return Ok(());
    }
    Err(Refusal::not_among("operation", name, ASKED.iter().cloned()))
}

/// An organization that has users and groups: those whose requests named none have not.
pub fn directory(organization: OrganizationId) -> Result<(), Refusal> {
    match organization == OrganizationId::NONE {
        true => Err(Refusal::not_found("requests that named no organization have no directory")),
        false => Ok(()),
    }
}

/// A place after which something is asked for. After the end there is nothing that anybody could
/// have been given: it is of another log, or a slip.
pub fn within(parameter: &str, what: &str, asked: u64, end: u64) -> Result<(), Refusal> {
    if asked <= end {
        return Ok(());
    }
    let told = format!("{what} {asked} is beyond the end, which is {end}");
    Err(Refusal::parameter(parameter, told))
}

/// What the filters of events say.
pub async fn filters(
    app: &App,
    organization: OrganizationId,
    query: &EventQuery,
) -> Result<(), Refusal> {
    if let Some(name) = &query.event_type {
        let all = event::names();
        if !all.contains(&name.as_str()) {
            return Err(Refusal::not_among("type", name, all));
        }
    }
    if let Some(actor) = &query.actor {
        let (kind, id) = actor.split_once(':').map_or((&**actor, None), |(k, id)| (k, Some(id)));
        let known = Actor::KINDS.iter().any(|(known, has_id)| {
            *known == kind && id.is_some_and(|id| id.parse::<Uuid>().is_ok()) == *has_id
        });
        if !known {
            let all = Actor::KINDS;
            let all = all.map(|(kind, id)| if id { format!("{kind}:ID") } else { kind.to_owned() });
            return Err(Refusal::not_among("actor", actor, all));
        }
    }
    if let Some(id) = query.exchange
        && app.engine.log.exchange(organization, ExchangeId(id)).await?.is_none()
    {
        return Err(Refusal::not_found(format!("there is no exchange {id} here")));
    }
    if let Some(subject) = query.subject {
        let filter = EventFilter { subject: Some(subject), ..EventFilter::default() };
        let views = app.audit.of(organization).await?;
        if views.events.positions(organization, &filter, 1).await?.is_empty() {
            return Err(Refusal::not_found(format!("nothing here ever was about {subject}")));
        }
    }
    Ok(())
}

/// A user or group that is there or was. Asked where nothing was found about it.
pub async fn resource(
    app: &App,
    organization: OrganizationId,
    id: Option<Uuid>,
) -> Result<(), Refusal> {
    let Some(id) = id else { return Ok(()) };
    let views = app.audit.of(organization).await?;
    if views.history.ever(organization, ResourceId(id)).await? {
        return Ok(());
    }
    Err(Refusal::not_found(format!("there never was a user or group {id}")))
}
