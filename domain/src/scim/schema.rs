//! What a schema is (RFC 7643), and what those that Rollcall knows are called.

use super::attribute::{AttributeDef, find};

/// Schema of the core user.
pub const USER_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// Schema of the core group.
pub const GROUP_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// Schema of the enterprise extension of a user (RFC 7643 section 4.3).
pub const ENTERPRISE_URN: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// What the URNs of core schemas begin with: no extension can be called so.
pub(super) const CORE_PREFIX: &str = "urn:ietf:params:scim:schemas:core:";

/// A schema: a URN and its attributes.
#[derive(Debug)]
pub struct Schema {
    /// The URN.
    pub urn: &'static str,
    /// The name for people.
    pub name: &'static str,
    /// What it describes.
    pub description: &'static str,
    /// Its attributes.
    pub attributes: &'static [AttributeDef],
}

impl Schema {
    /// An attribute, by a name in any case.
    pub fn attribute(&self, name: &str) -> Option<&'static AttributeDef> {
        find(self.attributes, name)
    }
}
