//! What can have happened to a consumer. Published payloads are frozen: a change is a new version.

use super::group_filter::GroupFilter;
use super::payload::Payload;
use crate::credential::{CredentialEvent, CredentialIssued, CredentialRevoked};
use crate::event_macro::events;
use crate::ids::CredentialId;
use crate::log::Position;
use crate::organization::SealedKey;
use crate::public_type::TypeFilter;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How a consumer gets its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Way {
    /// It asks for them.
    Pull,
    /// They are posted to it, one after another.
    Webhook {
        /// Where to.
        url: String,
        /// Only what stands after this position.
        start: Position,
    },
    /// It asks for security event tokens (RFC 8936).
    SetPoll {
        /// Whom they are for: `aud`.
        audience: String,
        /// Only what stands after this position.
        start: Position,
    },
    /// Security event tokens are posted to it, one after another (RFC 8935).
    SetPush {
        /// Where to.
        url: String,
        /// Whom they are for: `aud`.
        audience: String,
        /// Only what stands after this position.
        start: Position,
    },
}

impl Way {
    /// The stable name of its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Way::Pull => "pull",
            Way::Webhook { .. } => "webhook",
            Way::SetPoll { .. } => "set-poll",
            Way::SetPush { .. } => "set-push",
        }
    }

    /// Where events are posted to; none if it asks for them.
    pub fn url(&self) -> Option<&str> {
        match self {
            Way::Pull | Way::SetPoll { .. } => None,
            Way::Webhook { url, .. } | Way::SetPush { url, .. } => Some(url),
        }
    }

    /// Whom its security event tokens are for; none if it gets none.
    pub fn audience(&self) -> Option<&str> {
        match self {
            Way::Pull | Way::Webhook { .. } => None,
            Way::SetPoll { audience, .. } | Way::SetPush { audience, .. } => Some(audience),
        }
    }

    /// The position that it has nothing to do with what stands up to there; 0 if it says itself
    /// where it begins.
    pub fn start(&self) -> Position {
        match self {
            Way::Pull => 0,
            Way::Webhook { start, .. }
            | Way::SetPoll { start, .. }
            | Way::SetPush { start, .. } => *start,
        }
    }
}

/// Why deliveries to a consumer stopped until somebody resumes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stopped {
    /// It answered 410: it wants no more.
    Gone,
    /// It took nothing for days.
    Unreachable,
}

impl Stopped {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Stopped::Gone => "gone",
            Stopped::Unreachable => "unreachable",
        }
    }
}

events! {
    /// An event of a consumer.
    ConsumerEvent, ConsumerEventKind {
        /// Somebody may follow the log.
        "ConsumerCreated" "1" Created {
            /// What it is called, unique in its organization.
            name: String,
            /// How it gets its events.
            way: Way,
            /// Which types it gets.
            #[serde(default, skip_serializing_if = "TypeFilter::is_everything")]
            types: TypeFilter,
            /// How much they tell.
            #[serde(default)]
            payload: Payload,
            /// Whose members it is told about.
            #[serde(default, skip_serializing_if = "GroupFilter::is_everybody")]
            groups: GroupFilter,
        },
        /// It has a key.
        "ConsumerKeyIssued" "1" KeyIssued(CredentialIssued),
        /// A key of it is refused from an instant on: there is a newer one.
        "ConsumerKeyRetiring" "1" KeyRetiring {
            /// Which.
            credential: CredentialId,
            /// From when on it is refused.
            until: DateTime<Utc>,
        },
        /// A key of it is refused.
        "ConsumerKeyRevoked" "1" KeyRevoked(CredentialRevoked),
        /// What is posted to it is signed with this secret.
        "ConsumerSecretIssued" "1" SecretIssued {
            /// Counted from 1.
            number: u32,
            /// The secret, sealed.
            sealed: SealedKey,
        },
        /// Nothing is signed with a secret from an instant on: there is a newer one.
        "ConsumerSecretRetiring" "1" SecretRetiring {
            /// Which.
            number: u32,
            /// Until when it is signed with both.
            until: DateTime<Utc>,
        },
        /// It gets nothing until it is resumed.
        "ConsumerPaused" "1" Paused {},
        /// It gets its events again, from where it stood.
        "ConsumerResumed" "1" Resumed {},
        /// Nothing is posted to it until it is resumed.
        "ConsumerStopped" "1" Stopped {
            /// Why.
            reason: Stopped,
        },
        /// A delivery that was set aside is not to be made: somebody has seen to it.
        "ConsumerDeliveryHandled" "1" DeliveryHandled {
            /// Place of its event's record in the log.
            position: Position,
            /// Which of the record's events.
            part: u64,
            /// What was done instead.
            because: String,
        },
        /// It is gone; its name is free, and its keys are refused.
        "ConsumerRemoved" "1" Removed {
            /// The name that is free.
            name: String,
        },
    }
}

impl ConsumerEvent {
    /// What it says of a credential; none if it is about something else.
    pub fn credential(&self) -> Option<CredentialEvent> {
        match self {
            ConsumerEvent::KeyIssued(event) => Some(CredentialEvent::Issued(event.clone())),
            ConsumerEvent::KeyRevoked(event) => Some(CredentialEvent::Revoked(event.clone())),
            _ => None,
        }
    }
}
