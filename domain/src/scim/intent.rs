//! What a PATCH asks for, once every dialect has been read.

use super::filter::AttributePath;
use crate::ids::ResourceId;
use serde_json::Value;

/// One thing a PATCH asks for (RFC 7644 section 3.5.2). Paths are resolved: their attribute exists
/// and may be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Add to what is there.
    Add {
        /// Where.
        path: AttributePath,
        /// What, as sent.
        value: Value,
    },
    /// Put in the place of what is there.
    Replace {
        /// Where.
        path: AttributePath,
        /// What, as sent.
        value: Value,
    },
    /// Take away.
    Remove {
        /// Where.
        path: AttributePath,
        /// Only these values of a multi-valued attribute (Entra's older shape), or all.
        value: Option<Value>,
    },
    /// A read-only attribute is said to have this value: true already, or not to be.
    Assert {
        /// Which.
        path: AttributePath,
        /// What, as sent.
        value: Value,
        /// Whether these are said to be among its values, and others may be as well.
        adds: bool,
    },
    /// These become members of the group.
    AddMembers(Vec<ResourceId>),
    /// These are members of the group no longer.
    RemoveMembers(Vec<ResourceId>),
    /// These, and no others, are members of the group.
    ReplaceMembers(Vec<ResourceId>),
    /// The group has no members any more.
    ClearMembers,
}
