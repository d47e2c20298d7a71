//! Who enters what a consumer follows, and who leaves it: told beside the event of the group that
//! brings it about.

use super::event::{PublicEvent, Subject};
use super::tell::Told;
use crate::consumer::Payload;
use crate::ids::ResourceId;
use crate::log::{Record, Version};
use crate::public_type::{PublicType, TypeFilter};
use crate::scim::Attributes;
use serde_json::{Map, Value};
use uuid::Uuid;

/// A user who begins to be followed at a record, or is no longer.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// Who.
    pub user: ResourceId,
    /// Whether they enter.
    pub enters: bool,
    /// Number of their events at that time.
    pub version: Version,
    /// What they are at that time: whoever is told of them for the first time must know.
    pub attributes: Attributes,
}

/// What a record tells with those who pass by it, after its own events. The ids of those are the
/// same for whoever is told of them; ids of passages are apart from them.
pub fn with_passages(
    record: &Record,
    told: Option<Told>,
    passages: Vec<Passage>,
    filter: &TypeFilter,
    payload: Payload,
) -> Option<Told> {
    let mut events = told.map_or_else(Vec::new, |told| told.0);
    for passage in passages {
        let public = match passage.enters {
            true => PublicType::UserEntered,
            false => PublicType::UserLeft,
        };
        if filter.wants(public) {
            events.push(event(record, public, passage, payload));
        }
    }
    let parts = events.len();
    for (part, event) in (1..).zip(&mut events) {
        (event.part, event.parts) = (part, parts);
    }
    Some(Told(events)).filter(|told| !told.0.is_empty())
}

fn event(record: &Record, public: PublicType, passage: Passage, payload: Payload) -> PublicEvent {
    let name = format!("{}.{}.{}", record.position, public.as_str(), passage.user.0);
    let mut data = Map::new();
    if passage.enters && payload == Payload::Full {
        data.insert("attributes".to_owned(), Value::Object(passage.attributes));
    }
    PublicEvent {
        id: Uuid::new_v5(&record.stream.organization.0, name.as_bytes()),
        event_type: public.as_str(),
        type_version: PublicType::VERSION,
        position: record.position,
        part: 1,
        parts: 1,
        time: record.recorded_at,
        subject: Subject { kind: "user", id: passage.user.0 },
        subject_version: passage.version,
        exchange: record.exchange,
        data,
    }
}
