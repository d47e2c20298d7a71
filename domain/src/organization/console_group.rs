//! Groups whose members may use the console. A group is meant by its id: one that is deleted and
//! made anew under the same name lets nobody in.

use crate::ids::ResourceId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many groups of one organization, at most.
pub const CONSOLE_GROUPS: usize = 50;

/// As whom the members of a group use the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupRole {
    /// They read everything of the organization.
    Auditor,
    /// They change it as well. Whoever is in groups of both is an admin.
    Admin,
}

impl GroupRole {
    /// Both of them.
    pub const ALL: [GroupRole; 2] = [GroupRole::Auditor, GroupRole::Admin];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            GroupRole::Auditor => "auditor",
            GroupRole::Admin => "admin",
        }
    }
}

/// The groups, each with what its members are.
pub type ConsoleGroups = BTreeMap<ResourceId, GroupRole>;
