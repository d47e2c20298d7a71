//! What is read of the directory.

use crate::cells::words;
use crate::columns::columns;
use chrono::{DateTime, Utc};
use rollcall_domain::ids::ResourceId;
use rollcall_domain::log::{Position, Version};
use rollcall_domain::scim::{Attributes, ResourceKind};

columns! {
    /// A user or a group without its members.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ResourceRow {
        /// Its id.
        pub id: ResourceId,
        /// Position of its first event; the order in which resources are listed.
        pub seq: Position,
        /// Number of its events; its ETag.
        pub version: Version,
        /// When it was created.
        pub created: DateTime<Utc>,
        /// When it last changed; a group also by its members.
        pub modified: DateTime<Utc>,
        /// Canonical attributes.
        pub attributes: Attributes = "resource",
    }
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// A user.
    User,
    /// A group.
    Group,
}

impl MemberKind {
    /// Both.
    pub const ALL: [MemberKind; 2] = [MemberKind::User, MemberKind::Group];

    /// The name, as `type` of a member has it.
    pub fn name(self) -> &'static str {
        ResourceKind::from(self).name()
    }
}

impl From<MemberKind> for ResourceKind {
    fn from(kind: MemberKind) -> Self {
        match kind {
            MemberKind::User => ResourceKind::User,
            MemberKind::Group => ResourceKind::Group,
        }
    }
}

words!(MemberKind: name);

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// Its id.
    pub id: ResourceId,
    /// What it is.
    pub kind: MemberKind,
    /// Its `displayName`, or a user's `userName`.
    pub display: String,
}

/// A group that a user is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRef {
    /// The group's id.
    pub id: ResourceId,
    /// Its `displayName`.
    pub display: String,
}
