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
    /// How it gets its events: `pull`, if it asks for them; `webhook`, if they are posted to it;
    /// `set-poll` and `set-push`, if it asks for security event tokens, or they are posted to it.
    pub kind: ConsumerKind,
    /// Where they are posted to, with `webhook` and `set-push` only. A signed `rollcall.ping`, or a
    /// verification token, must be answered 2xx.
    #[serde(default)]
    pub url: Option<String>,
    /// Only what stands after this position, for all but `pull`; what comes from now on, if absent.
    #[serde(default)]
    pub start: Option<u64>,
    /// Whom security event tokens are for, which is their `aud`; needed for `set-poll` and
    /// `set-push`.
    #[serde(default)]
    pub audience: Option<String>,
    /// Which types it gets, such as `user.created` or `user.*`; all of them, if there is none.
    #[serde(default)]
    pub types: Vec<String>,
    /// How much they tell.
    #[serde(default)]
    pub payload: PayloadMode,
    /// Ids of groups: only these, and who is a member of one of them; everybody, if there is none.
    /// At most 100.
    #[serde(default)]
    pub groups: Vec<Uuid>,
}

/// How a consumer gets its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConsumerKind {
    /// It asks for them.
    Pull,
    /// They are posted to it.
    Webhook,
    /// It asks for security event tokens (RFC 8936).
    SetPoll,
    /// Security event tokens are posted to it (RFC 8935).
    SetPush,
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
    /// That there is something to ask for, and nothing else; for `webhook` only.
    Poke,
}

/// A consumer, with what is shown this once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConsumerAdded {
    /// Its id.
    pub consumer: Uuid,
    /// What it is called.
    pub name: String,
    /// The key that one that asks sends as a bearer token; not shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// What is posted is signed with it, as Standard Webhooks has it; not shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Where it asks for events.
    pub feed_url: String,
    /// Where it gets everybody at a position, to go on from there.
    pub snapshot_url: String,
    /// Who its security event tokens are from: their `iss`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Where it asks for security event tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_url: Option<String>,
}

/// How long the key of now holds beside a new one.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rotation {
    /// In seconds, 1 to 604,800; a day, if absent.
    pub overlap_seconds: Option<u32>,
}

/// What is told again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redelivery {
    /// Everything after this position: not beyond the consumer's place, and not before what it
    /// began with.
    pub after: u64,
}

/// A new key of a consumer, shown this once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConsumerRotated {
    /// Its id.
    pub consumer: Uuid,
    /// The key that one that asks sends as a bearer token; not shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// What is posted is signed with it and the one before; not shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Until when the one before holds.
    #[serde(serialize_with = "crate::time::serialize")]
    pub old_until: DateTime<Utc>,
}

/// A consumer as it can be seen later.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConsumerBody {
    /// Its id.
    pub consumer: Uuid,
    /// What it is called.
    pub name: String,
    /// `pull`, `webhook`, `set-poll` or `set-push`.
    pub kind: String,
    /// Where events are posted to.
    pub url: Option<String>,
    /// Whom its security event tokens are for.
    pub audience: Option<String>,
    /// Who its security event tokens are from.
    pub issuer: Option<String>,
    /// Which types it gets; all of them, if there is none.
    pub types: Vec<String>,
    /// `full`, `notice` or `poke`.
    pub payload: String,
    /// The groups whose members it is told about; everybody, if there is none.
    pub groups: Vec<Uuid>,
    /// `active`, `paused` or `stopped`.
    pub state: String,
    /// Why deliveries stopped: `gone`, if it answered 410, or `unreachable`, if it took nothing for
    /// five days.
    pub stopped: Option<String>,
    /// How often the delivery under way failed.
    pub failed_attempts: u64,
    /// When it is tried again.
    #[serde(serialize_with = "crate::time::optional")]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Deliveries that failed for long and were set aside, and those behind them.
    pub parked: u64,
    /// Since when nothing was taken.
    #[serde(serialize_with = "crate::time::optional")]
    pub failing_since: Option<DateTime<Utc>>,
    /// When it was created.
    #[serde(serialize_with = "crate::time::serialize")]
    pub created_at: DateTime<Utc>,
    /// When its state or its keys last changed.
    #[serde(serialize_with = "crate::time::serialize")]
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
    #[serde(serialize_with = "crate::time::optional")]
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
