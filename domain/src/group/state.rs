//! A group, folded from its events.

use super::GroupEvent;
use crate::diff;
use crate::ids::ResourceId;
use crate::scim::Attributes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Members of a group. Persistent: a copy costs nothing, so that deciding on a copy of a group
/// with a hundred thousand members costs the same as on one with ten.
pub type Members = rpds::RedBlackTreeSetSync<ResourceId>;

/// The state of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Group {
    /// Not created yet.
    #[default]
    Absent,
    /// Exists.
    Present {
        /// Canonical attributes without members.
        attributes: Attributes,
        /// The members.
        members: Members,
    },
    /// Existed.
    Deleted,
}

impl Group {
    /// The attributes and members of a group that exists.
    pub fn present(&self) -> Option<(&Attributes, &Members)> {
        match self {
            Group::Present { attributes, members } => Some((attributes, members)),
            Group::Absent | Group::Deleted => None,
        }
    }

    /// What an event makes of it.
    pub(super) fn evolve(&mut self, event: &GroupEvent) {
        match (&mut *self, event) {
            (_, GroupEvent::Created { attributes }) => {
                *self =
                    Group::Present { attributes: attributes.clone(), members: Members::default() };
            }
            (_, GroupEvent::Deleted { .. }) => *self = Group::Deleted,
            (Group::Present { members, .. }, GroupEvent::MembersAdded { members: added }) => {
                for id in added {
                    members.insert_mut(*id);
                }
            }
            (Group::Present { members, .. }, GroupEvent::MembersRemoved { members: removed }) => {
                for id in removed {
                    members.remove_mut(id);
                }
            }
            (Group::Present { attributes, .. }, event) => evolve_attributes(attributes, event),
            (Group::Absent | Group::Deleted, _) => {}
        }
    }
}

/// What an event does to the attributes of a group that exists; member events do nothing to them.
pub fn evolve_attributes(attributes: &mut Attributes, event: &GroupEvent) {
    match event {
        GroupEvent::Created { attributes: all } => *attributes = all.clone(),
        GroupEvent::Renamed { after, .. } => {
            attributes.insert("displayName".into(), Value::String(after.clone()));
        }
        GroupEvent::Changed { changes } => diff::apply(attributes, changes),
        GroupEvent::MembersAdded { .. }
        | GroupEvent::MembersRemoved { .. }
        | GroupEvent::Deleted { .. } => {}
    }
}
