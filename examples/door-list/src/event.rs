//! What Rollcall says, as far as doors care. Members and types that are not known are passed over:
//! more may be added within a version.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Everybody at one position, a page of it.
#[derive(Debug, Deserialize)]
pub struct Snapshot {
    /// The feed goes on after it.
    pub position: u64,
    /// Users, groups, members.
    pub items: Vec<Item>,
    /// The next page.
    pub next: Option<String>,
    /// Which log it is.
    pub epoch: String,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Item {
    /// A user.
    User {
        /// Its id.
        id: String,
        /// As SCIM shows it.
        #[serde(default)]
        resource: Map<String, Value>,
    },
    /// That somebody is a member of a group.
    Member {
        /// The group.
        group: String,
        /// A user or group.
        member: String,
    },
    /// Whatever else there is.
    #[serde(other)]
    Other,
}

/// Events after a position.
#[derive(Debug, Deserialize)]
pub struct Page {
    /// In the order of the log.
    pub events: Vec<Event>,
    /// Ask after this next.
    pub next: u64,
    /// Where the event before the first one stands.
    pub previous: u64,
    /// Nothing was left.
    pub complete: bool,
    /// Which log it is.
    pub epoch: String,
}

/// An event.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// Such as `user.created`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Its place.
    pub position: u64,
    /// That of the event before it.
    pub previous: u64,
    /// Which of its record's events.
    pub part: u64,
    /// So many its record has.
    pub parts: u64,
    /// What it is about.
    pub subject: Subject,
    /// What its type says.
    #[serde(default)]
    pub data: Map<String, Value>,
}

/// What an event is about.
#[derive(Debug, Deserialize)]
pub struct Subject {
    /// Its id.
    pub id: String,
}

/// Who holds a session at Rollcall.
#[derive(Clone, Debug, Deserialize)]
pub struct Holder {
    /// Names the session; `session.ended` names it too.
    pub session_id: String,
    /// The user: the id of the SCIM resource.
    pub user_id: String,
    /// When it is over at the latest.
    pub expires_at: chrono::DateTime<chrono::Utc>,
}
