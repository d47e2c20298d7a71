//! What can have happened to a user. Published payloads are frozen: a change is a new version.

use crate::personal::Personal;
use crate::scim::Attributes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One attribute before and after. The path is canonical: a core attribute's name, or
/// `schema-urn:name` for an attribute of an extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Canonical attribute path, such as `displayName` or `urn:...:User:department`.
    pub attribute: String,
    /// Its value before; absent if it was unassigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Personal<Value>>,
    /// Its value after; absent if it is unassigned now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Personal<Value>>,
}

/// An event of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum UserEvent {
    /// The user came to be, with these attributes (canonical; `userName` and `active` among them).
    #[serde(rename = "UserCreated")]
    Created {
        /// All attributes.
        attributes: Personal<Attributes>,
    },
    /// `userName` changed.
    #[serde(rename = "UserRenamed")]
    Renamed {
        /// The old `userName`.
        before: Personal<String>,
        /// The new `userName`.
        after: Personal<String>,
    },
    /// `active` became true.
    #[serde(rename = "UserActivated")]
    Activated {},
    /// `active` became false.
    #[serde(rename = "UserDeactivated")]
    Deactivated {},
    /// Attributes other than `userName` and `active` changed.
    #[serde(rename = "UserChanged")]
    Changed {
        /// What changed, ordered by attribute.
        changes: Vec<Change>,
    },
    /// The user is gone; the `userName` is free.
    #[serde(rename = "UserDeleted")]
    Deleted {
        /// The last `userName`.
        user_name: Personal<String>,
    },
}

impl UserEvent {
    /// The stable name and payload version of an event.
    pub fn kind(&self) -> (&'static str, &'static str) {
        match self {
            UserEvent::Created { .. } => ("UserCreated", "1"),
            UserEvent::Renamed { .. } => ("UserRenamed", "1"),
            UserEvent::Activated {} => ("UserActivated", "1"),
            UserEvent::Deactivated {} => ("UserDeactivated", "1"),
            UserEvent::Changed { .. } => ("UserChanged", "1"),
            UserEvent::Deleted { .. } => ("UserDeleted", "1"),
        }
    }
}

impl cqrs_es::DomainEvent for UserEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }
    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}
