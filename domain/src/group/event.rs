//! What can have happened to a group. Published payloads are frozen: a change is a new version.

use crate::diff::Change;
use crate::event_macro::events;
use crate::ids::ResourceId;
use crate::scim::Attributes;

events! {
    /// An event of a group.
    GroupEvent, GroupEventKind {
        /// The group came to be, with these attributes (canonical; without members).
        "GroupCreated" "1" Created {
            /// All attributes but the members.
            attributes: Attributes,
        },
        /// `displayName` changed.
        "GroupRenamed" "1" Renamed {
            /// The old `displayName`.
            before: String,
            /// The new `displayName`.
            after: String,
        },
        /// Attributes other than `displayName` and `members` changed.
        "GroupChanged" "1" Changed {
            /// What changed, ordered by attribute.
            changes: Vec<Change>,
        },
        /// These became members, in this order; none of them was one before.
        "GroupMembersAdded" "1" MembersAdded {
            /// Ids of users or groups.
            members: Vec<ResourceId>,
        },
        /// These are members no longer; each of them was one before.
        "GroupMembersRemoved" "1" MembersRemoved {
            /// Ids of users or groups.
            members: Vec<ResourceId>,
        },
        /// The group is gone, its memberships with it; the name is free.
        "GroupDeleted" "1" Deleted {
            /// The last `displayName`.
            display_name: String,
        },
    }
}

impl GroupEventKind {
    /// Whether it changes who belongs to the group, and nothing else of it.
    pub fn is_of_members(self) -> bool {
        matches!(self, Self::MembersAdded | Self::MembersRemoved)
    }
}

/// Whether a stored event of a group may change more than its members; one that is not known may.
pub fn changes_attributes(event_type: &str) -> bool {
    GroupEventKind::named(event_type).is_none_or(|kind| !kind.is_of_members())
}
