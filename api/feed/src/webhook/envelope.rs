//! What is posted: one event as CloudEvents 1.0 has it, in structured mode.

use chrono::{DateTime, Utc};
use rollcall_domain::log::Position;
use rollcall_domain::outbound::PublicEvent;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// The media type of the body.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";
/// A longer body becomes a notice, as Standard Webhooks advises.
const LONGEST: usize = 20_000;
/// What `data` holds of values, which a notice does not.
const VALUES: [&str; 4] = ["attributes", "values", "userName", "displayName"];

/// An event in its envelope. The names of extensions are lower-case letters only.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: String,
    source: &'a str,
    #[serde(rename = "type")]
    event_type: String,
    subject: String,
    #[serde(serialize_with = "rollcall_contract::time::serialize")]
    time: DateTime<Utc>,
    datacontenttype: &'static str,
    dataschema: String,
    /// Position, as text.
    sequence: String,
    /// Position of the event for this consumer before this one, as text.
    previous: String,
    /// Which log it is of: positions and ids of another are not to be compared.
    epoch: String,
    part: usize,
    parts: usize,
    subjectversion: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<String>,
    /// True if it may have been told before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    redelivery: bool,
    /// True if it would have been too long, and tells no values.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    shortened: bool,
    data: &'a Map<String, Value>,
}

/// The body that tells of an event of `source`, as the log of this epoch has it. `schemas` is where the schemas are; `redelivery`
/// says that it may have been told before.
///
/// # Errors
/// If it cannot be written as JSON, which nothing in it can bring about.
pub fn body(
    (source, epoch): (&str, Uuid),
    schemas: &str,
    previous: Position,
    event: &PublicEvent,
    redelivery: bool,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut told = CloudEvent {
        specversion: "1.0",
        id: event.id.to_string(),
        source,
        event_type: format!("rollcall.{}", event.event_type),
        subject: format!("{}/{}", event.subject.kind, event.subject.id),
        time: event.time,
        datacontenttype: "application/json",
        dataschema: format!("{schemas}#/$defs/{}", event.event_type),
        sequence: event.position.to_string(),
        previous: previous.to_string(),
        epoch: epoch.to_string(),
        part: event.part,
        parts: event.parts,
        subjectversion: event.subject_version,
        exchange: event.exchange.map(|exchange| exchange.to_string()),
        redelivery,
        shortened: false,
        data: &event.data,
    };
    let whole = serde_json::to_vec(&told)?;
    if whole.len() <= LONGEST {
        return Ok(whole);
    }
    let mut notice = event.data.clone();
    notice.retain(|name, _| !VALUES.contains(&name.as_str()));
    (told.shortened, told.data) = (true, &notice);
    serde_json::to_vec(&told)
}
