//! Consumers: who follows an organization's log from outside.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A new consumer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConsumer {
    /// What it is called, unique in its organization: letters, digits, hyphens, underscores, dots.
    pub name: String,
    /// How it gets its events: `pull`, if it asks for them.
    pub kind: ConsumerKind,
    /// Which types it gets, such as `user.created` or `user.*`; all of them, if there is none.
    #[serde(default)]
    pub types: Vec<String>,
    /// How much they tell.
    #[serde(default)]
    pub payload: PayloadMode,
}

/// How a consumer gets its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConsumerKind {
    /// It asks for them.
    Pull,
}

/// How much events tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PayloadMode {
    /// Everything, personal data included.
    #[default]
    Full,
    /// What happened to which id, and which attributes changed; no value of anybody.
    Notice,
}

/// A consumer, with what is shown this once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConsumerAdded {
    /// Its id.
    pub consumer: Uuid,
    /// What it is called.
    pub name: String,
    /// The key that it sends as a bearer token; not shown again.
    pub token: String,
    /// Where it asks for events.
    pub feed_url: String,
    /// Where it gets everybody at a position, to go on from there.
    pub snapshot_url: String,
}

/// How long the key of now holds beside a new one.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rotation {
    /// In seconds, 1 to 604,800; a day, if absent.
    pub overlap_seconds: Option<u32>,
}

/// A new key of a consumer, shown this once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConsumerRotated {
    /// Its id.
    pub consumer: Uuid,
    /// The key that it sends as a bearer token; not shown again.
    pub token: String,
    /// From when on the key before is refused.
    pub old_until: DateTime<Utc>,
}

/// A consumer as it can be seen later.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConsumerBody {
    /// Its id.
    pub consumer: Uuid,
    /// What it is called.
    pub name: String,
    /// `pull`.
    pub kind: String,
    /// Which types it gets; all of them, if there is none.
    pub types: Vec<String>,
    /// `full` or `notice`.
    pub payload: String,
    /// `active` or `paused`.
    pub state: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its state or its keys last changed.
    pub changed_at: DateTime<Utc>,
    /// Where it asks for events.
    pub feed_url: String,
    /// Where it gets everybody at a position.
    pub snapshot_url: String,
    /// The place that it keeps here; absent if it keeps it elsewhere.
    pub position: Option<u64>,
    /// The last position after which it asked.
    pub asked_after: Option<u64>,
    /// When it last asked; to the minute.
    pub heard_at: Option<DateTime<Utc>>,
    /// The last position of the organization's log.
    pub head: u64,
    /// Records in the log that it has not come to, whether they are for it or not.
    pub lag_records: u64,
}

/// The consumer in a path: its name or its id.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ConsumerPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Name or id of the consumer.
    pub consumer: String,
}
