//! A group of the tenant.

use super::user::UserKey;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A group's number in its directory; never given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey(pub u32);

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Object id.
    pub object_id: Uuid,
    /// Name, unique in a generated tenant.
    pub display_name: String,
    /// Direct members; nesting is not expanded by provisioning.
    pub members: BTreeSet<UserKey>,
    /// Whether the group is assigned to the application, and with it its members.
    pub assigned: bool,
    /// True once deleted: groups have no recycle bin here.
    pub deleted: bool,
}
