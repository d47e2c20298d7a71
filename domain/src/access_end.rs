//! An access that was to end: by whom or what, so that the directory tells whether it has.

use crate::ids::ResourceId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An access that a request was to end. It has ended when the directory says so, whatever is asked
/// for later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum AccessEnd {
    /// A user is to be inactive, or gone.
    Disabled {
        /// Who.
        user: ResourceId,
    },
    /// A user is to be gone.
    UserDeleted {
        /// Who.
        user: ResourceId,
    },
    /// A group is to be gone, and what it gives to its members.
    GroupDeleted {
        /// Which.
        group: ResourceId,
    },
    /// Somebody is to be out of a group.
    Removed {
        /// Which.
        group: ResourceId,
        /// Who: a user or a group.
        member: ResourceId,
    },
    /// Nobody but these is to be in a group.
    OthersRemoved {
        /// Which.
        group: ResourceId,
        /// Who stays.
        but: BTreeSet<ResourceId>,
    },
    /// Somebody is to be out of a group, and it cannot be read who.
    SomebodyRemoved {
        /// Which.
        group: ResourceId,
        /// The request that said so, by [`crate::facts::Wants::request`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<String>,
    },
}

impl AccessEnd {
    /// The resources whose state tells whether the access has ended.
    pub fn resources(&self) -> impl Iterator<Item = ResourceId> {
        let (one, other) = match self {
            Self::Disabled { user } | Self::UserDeleted { user } => (*user, None),
            Self::Removed { group, member } => (*group, Some(*member)),
            Self::GroupDeleted { group }
            | Self::OthersRemoved { group, .. }
            | Self::SomebodyRemoved { group, .. } => (*group, None),
        };
        std::iter::once(one).chain(other)
    }
}
