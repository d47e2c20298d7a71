//! From a record to what is told of it.

use super::event::{PublicEvent, Subject};
use super::source::of_record;
use crate::consumer::Payload;
use crate::diff::Change;
use crate::event::{DecodeError, DomainEvent};
use crate::group::GroupEvent;
use crate::log::{AggregateKind, Record};
use crate::login::RefusedLogin;
use crate::organization::OrganizationEvent;
use crate::public_type::{PublicType, TypeFilter};
use crate::scim::Attributes;
use crate::user::{SignedIn, UserEvent};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What is told of one record, in order; never without an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Told(pub Vec<PublicEvent>);

/// What a record tells somebody with this filter; none if nothing.
///
/// # Errors
/// If the record is told outward and cannot be understood: it is never passed over.
pub fn tell(
    record: &Record,
    filter: &TypeFilter,
    payload: Payload,
) -> Result<Option<Told>, DecodeError> {
    let Some(public) = of_record(record).filter(|public| filter.wants(*public)) else {
        // What this version does not know might be for somebody.
        return DomainEvent::decode(record).map(|_| None);
    };
    let all = data(&DomainEvent::decode(record)?, payload);
    let parts = all.len();
    let events = all.into_iter().zip(1..).map(|(data, part)| PublicEvent {
        id: id(record, part),
        event_type: public.as_str(),
        type_version: PublicType::VERSION,
        position: record.position,
        part,
        parts,
        time: record.recorded_at,
        subject: subject(record),
        subject_version: record.version,
        exchange: record.exchange,
        data,
    });
    Ok(Some(Told(events.collect())).filter(|told| !told.0.is_empty()))
}

/// The same on every repetition and every replay, in every process.
fn id(record: &Record, part: usize) -> Uuid {
    let name = format!("{}.{part}", record.position);
    Uuid::new_v5(&record.stream.organization.0, name.as_bytes())
}

fn subject(record: &Record) -> Subject {
    let kind = match record.stream.kind {
        AggregateKind::User => "user",
        AggregateKind::Group => "group",
        AggregateKind::Organization | AggregateKind::Deployment | AggregateKind::Consumer => {
            "organization"
        }
    };
    Subject { kind, id: record.stream.id }
}

type Data = Map<String, Value>;

fn data(event: &DomainEvent, payload: Payload) -> Vec<Data> {
    match event {
        DomainEvent::User(event) => vec![of_user(event, payload)],
        DomainEvent::Group(event) => of_group(event, payload),
        DomainEvent::Organization(OrganizationEvent::LoginRefused(refused)) => {
            vec![of_refused(refused)]
        }
        DomainEvent::Organization(OrganizationEvent::ProvisioningRhythmChanged(noticed)) => {
            vec![fields([
                ("state", json!(noticed.state.as_str())),
                ("last_cycle_at", json!(instant(noticed.last_cycle_at))),
                ("usual_seconds", json!(noticed.usual_seconds)),
            ])]
        }
        DomainEvent::Organization(_)
        | DomainEvent::Deployment(_)
        | DomainEvent::Consumer(_)
        | DomainEvent::Lost(_) => Vec::new(),
    }
}

fn of_user(event: &UserEvent, payload: Payload) -> Data {
    match event {
        UserEvent::Created { attributes } => created(attributes.value(), payload),
        UserEvent::Renamed { after, .. } => {
            changed([("userName", Some(json!(after.value())))], payload)
        }
        UserEvent::Changed { changes } => changed(changes.iter().map(after), payload),
        UserEvent::Deleted { user_name } => full(payload, [("userName", json!(user_name.value()))]),
        UserEvent::SignedIn(signed_in) => of_login(signed_in),
        UserEvent::LoginRefused(refused) => of_refused(refused),
        UserEvent::SessionEnded { session, end } => {
            fields([("session", json!(session)), ("reason", json!(end.as_str()))])
        }
        UserEvent::Erased { .. }
        | UserEvent::Held { .. }
        | UserEvent::Released { .. }
        | UserEvent::Activated {}
        | UserEvent::Deactivated {}
        | UserEvent::SessionRefused { .. }
        | UserEvent::ObjectIdPinned { .. }
        | UserEvent::ObjectIdReleased { .. } => Data::new(),
    }
}

fn of_group(event: &GroupEvent, payload: Payload) -> Vec<Data> {
    let member = |id: &_| fields([("member", json!(id))]);
    match event {
        GroupEvent::Created { attributes } => vec![created(attributes, payload)],
        GroupEvent::Renamed { after, .. } => {
            vec![changed([("displayName", Some(json!(after)))], payload)]
        }
        GroupEvent::Changed { changes } => vec![changed(changes.iter().map(after), payload)],
        GroupEvent::Deleted { display_name } => {
            vec![full(payload, [("displayName", json!(display_name))])]
        }
        GroupEvent::MembersAdded { members } | GroupEvent::MembersRemoved { members } => {
            members.iter().map(member).collect()
        }
    }
}

fn of_login(signed_in: &SignedIn) -> Data {
    fields([
        ("session", json!(signed_in.session)),
        ("expires_at", json!(instant(signed_in.expires_at))),
    ])
}

/// Nothing of the message: what cannot be trusted must not be told of as if it could.
fn of_refused(refused: &RefusedLogin) -> Data {
    fields([("reason", json!(refused.reason))])
}

fn created(attributes: &Attributes, payload: Payload) -> Data {
    full(payload, [("attributes", Value::Object(attributes.clone()))])
}

fn after(change: &Change) -> (&str, Option<Value>) {
    (&change.attribute, change.after.as_ref().map(|after| after.value().clone()))
}

/// Which attributes changed, and what they are now; null is unassigned (RFC 7643 section 2.5).
fn changed<'a>(
    changes: impl IntoIterator<Item = (&'a str, Option<Value>)>,
    payload: Payload,
) -> Data {
    let values: Vec<(&str, Value)> =
        changes.into_iter().map(|(path, after)| (path, after.unwrap_or(Value::Null))).collect();
    let paths: Vec<&str> = values.iter().map(|(path, _)| *path).collect();
    let mut data = fields([("changed", json!(paths))]);
    data.extend(full(payload, [("values", Value::Object(fields(values)))]));
    data
}

fn full<'a>(payload: Payload, data: impl IntoIterator<Item = (&'a str, Value)>) -> Data {
    match payload {
        Payload::Full => fields(data),
        Payload::Notice | Payload::Poke => Data::new(),
    }
}

/// As all instants are written: in UTC, with three decimals.
fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn fields<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Data {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
