//! An event as it is told outward.

use crate::ids::ExchangeId;
use crate::log::{Position, Version};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Subject {
    /// `user`, `group` or `organization`.
    pub kind: &'static str,
    /// Its id.
    pub id: Uuid,
}

/// An event as it is told outward.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PublicEvent {
    /// Follows from organization, position and part (RFC 9562 version 5): the same whenever it is
    /// told.
    pub id: Uuid,
    /// Its type, such as `user.created`.
    #[serde(rename = "type")]
    pub event_type: &'static str,
    /// Version of what this type says.
    pub type_version: u32,
    /// Place of its record in the organization's log.
    pub position: Position,
    /// Which of the record's events it is, counted from 1.
    pub part: usize,
    /// How many events its record has for this type.
    pub parts: usize,
    /// When it was recorded.
    pub time: DateTime<Utc>,
    /// What it is about.
    pub subject: Subject,
    /// Place of its record among those of the subject: what SCIM's ETag is made of.
    pub subject_version: Version,
    /// The request that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<ExchangeId>,
    /// What its type says; see the schema.
    pub data: Map<String, Value>,
}
