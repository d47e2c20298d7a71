//! What can have happened to a group. Published payloads are frozen: a change is a new version.

use crate::ids::ResourceId;
use crate::scim::Attributes;
use crate::user::Change;
use serde::{Deserialize, Serialize};

/// An event of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GroupEvent {
    /// The group came to be, with these attributes (canonical; without members).
    #[serde(rename = "GroupCreated")]
    Created {
        /// All attributes but the members.
        attributes: Attributes,
    },
    /// `displayName` changed.
    #[serde(rename = "GroupRenamed")]
    Renamed {
        /// The old `displayName`.
        before: String,
        /// The new `displayName`.
        after: String,
    },
    /// Attributes other than `displayName` and `members` changed.
    #[serde(rename = "GroupChanged")]
    Changed {
        /// What changed, ordered by attribute.
        changes: Vec<Change>,
    },
    /// These became members, in this order; none of them was one before.
    #[serde(rename = "GroupMembersAdded")]
    MembersAdded {
        /// Ids of users or groups.
        members: Vec<ResourceId>,
    },
    /// These are members no longer; each of them was one before.
    #[serde(rename = "GroupMembersRemoved")]
    MembersRemoved {
        /// Ids of users or groups.
        members: Vec<ResourceId>,
    },
    /// The group is gone, its memberships with it; the name is free.
    #[serde(rename = "GroupDeleted")]
    Deleted {
        /// The last `displayName`.
        display_name: String,
    },
}

impl GroupEvent {
    /// The stable name and payload version of an event.
    pub fn kind(&self) -> (&'static str, &'static str) {
        match self {
            GroupEvent::Created { .. } => ("GroupCreated", "1"),
            GroupEvent::Renamed { .. } => ("GroupRenamed", "1"),
            GroupEvent::Changed { .. } => ("GroupChanged", "1"),
            GroupEvent::MembersAdded { .. } => ("GroupMembersAdded", "1"),
            GroupEvent::MembersRemoved { .. } => ("GroupMembersRemoved", "1"),
            GroupEvent::Deleted { .. } => ("GroupDeleted", "1"),
        }
    }
}

impl cqrs_es::DomainEvent for GroupEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }
    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}
