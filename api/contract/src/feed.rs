//! What a consumer asks: events in the order of the log, and everybody at a position.

use crate::ledger::SignedCheckpoint;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which events.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FeedQuery {
    /// Only events after this position; after the place that is kept here, if absent.
    pub after: Option<u64>,
    /// So many events, 1 to 1,000; 100, if absent. A record is never torn: the last one may bring
    /// more.
    pub limit: Option<usize>,
    /// Wait so many seconds for an event if there is none, 0 to 30.
    pub wait: Option<u64>,
}

/// A page of events.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FeedBody {
    /// The events, in the order of the log.
    pub events: Vec<FeedEvent>,
    /// Everything up to here that is for this consumer it has with this page: ask after this next.
    pub next: u64,
    /// Position of the last event for this consumer up to where it asked; 0 if there is none. It
    /// is what the first event's `previous` says.
    pub previous: u64,
    /// The last position of the organization's log when this was read.
    pub head: u64,
    /// True if nothing was left between `next` and `head`.
    pub complete: bool,
    /// Which log this is: positions of another are not to be compared.
    pub epoch: String,
    /// The ledger of the organization, which has everything on this page; absent from a page without
    /// events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<SignedCheckpoint>,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventSubject {
    /// `user`, `group` or `organization`.
    pub kind: String,
    /// Its id.
    pub id: Uuid,
}

/// An event as consumers get it; `/api/v1/event-schemas.json` has the schema of each type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeedEvent {
    /// The same whenever the event is told.
    pub id: Uuid,
    /// Such as `user.created`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Version of what this type says.
    pub type_version: u32,
    /// Place of its record in the organization's log.
    pub position: u64,
    /// Position of the event for this consumer before this one; 0 before the first. Whoever has
    /// that one has missed nothing.
    pub previous: u64,
    /// Which of the record's events it is, counted from 1.
    pub part: usize,
    /// How many events the record has.
    pub parts: usize,
    /// When it was recorded.
    #[serde(serialize_with = "crate::time::serialize")]
    pub time: DateTime<Utc>,
    /// What it is about.
    pub subject: EventSubject,
    /// Place of its record among those of the subject; SCIM's ETag is made of it.
    pub subject_version: u64,
    /// The request that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Uuid>,
    /// What its type says.
    #[schema(value_type = Object)]
    pub data: Map<String, Value>,
}

/// Which part of a snapshot.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SnapshotQuery {
    /// `next` of the page before; the first page, at the end of the log, if absent.
    pub after: Option<String>,
    /// So many items, 1 to 1,000; 100, if absent.
    pub limit: Option<usize>,
}

/// A part of everybody at a position.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SnapshotBody {
    /// The position at which all pages show the directory: the feed goes on after it.
    pub position: u64,
    /// Users, then groups, then memberships.
    pub items: Vec<SnapshotItem>,
    /// Where the next page begins; absent behind the last.
    pub next: Option<String>,
    /// Which log this is.
    pub epoch: String,
}

/// One item of a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SnapshotItem {
    /// A user without groups.
    User {
        /// Its id.
        id: Uuid,
        /// As SCIM shows it; absent from notices.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<Object>)]
        resource: Option<Value>,
    },
    /// A group without members.
    Group {
        /// Its id.
        id: Uuid,
        /// As SCIM shows it; absent from notices.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<Object>)]
        resource: Option<Value>,
    },
    /// That somebody is a member of a group.
    Member {
        /// The group.
        group: Uuid,
        /// A user or group.
        member: Uuid,
    },
}

/// A consumer's own place, moved.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlace {
    /// Where it must be now; 0 if it was never moved.
    pub from: u64,
    /// Where it is then.
    pub to: u64,
}
