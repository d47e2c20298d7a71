//! What the users and groups are called that events are about.

use super::named::text;
use rollcall_contract::events::EventBody;
use rollcall_domain::group::GroupEventKind;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::AggregateKind;
use rollcall_domain::scim::ResourceKind;
use rollcall_domain::user::UserEventKind;
use rollcall_door::App;
use rollcall_door::Refusal;
use std::collections::HashMap;
use uuid::Uuid;

/// Adds to each event what its user or group was called right after it; of a deletion, right
/// before.
pub async fn add(
    app: &App,
    organization: OrganizationId,
    events: &mut [EventBody],
) -> Result<(), Refusal> {
    let views = app.audit.of(organization).await?;
    // A name changes with an event of its own, so that the last one known holds for those between.
    let mut known: HashMap<Uuid, Option<String>> = HashMap::new();
    for event in events {
        let kind = match AggregateKind::parse(&event.aggregate) {
            Some(AggregateKind::User) => ResourceKind::User,
            Some(AggregateKind::Group) => ResourceKind::Group,
            _ => continue,
        };
        let renames = event.event_type == UserEventKind::Renamed.as_str()
            || event.event_type == GroupEventKind::Renamed.as_str();
        if renames || !known.contains_key(&event.subject) {
            let id = ResourceId(event.subject);
            let mut name = None;
            for at in [event.position, event.position.saturating_sub(1)] {
                if name.is_none() {
                    let found = views.history.resource(organization, kind, id, at).await?;
                    let names = ["userName", "displayName"];
                    name = found.and_then(|row| {
                        names.iter().find_map(|n| text(&row.attributes, n)).map(str::to_owned)
                    });
                }
            }
            known.insert(event.subject, name);
        }
        event.subject_name = known.get(&event.subject).cloned().flatten();
    }
    Ok(())
}
