//! Resources as they are on the wire.

use super::rows::{GroupRef, MemberRow, ResourceRow};
use rollcall_domain::scim::{Meta, ResourceKind, render_resource};
use serde_json::{Value, json};

/// A resource as it is on the wire.
pub fn wire(
    kind: ResourceKind,
    row: &ResourceRow,
    base_url: &str,
    groups: Option<Vec<Value>>,
    members: Option<Vec<Value>>,
) -> Value {
    let location = format!("{base_url}{}/{}", kind.endpoint(), row.id);
    let meta =
        Meta { created: row.created, last_modified: row.modified, version: row.version, location };
    render_resource(kind, row.id, &row.attributes, &meta, groups, members)
}

/// A member as it is on the wire (RFC 7643 section 4.2).
pub(super) fn member_value(member: &MemberRow, base_url: &str) -> Value {
    let kind = ResourceKind::from(member.kind);
    let reference = format!("{base_url}{}/{}", kind.endpoint(), member.id);
    // Without a name: RFC 7643's schema has none for members, and a client compares what it wrote.
    json!({ "value": member.id, "$ref": reference, "type": kind.name() })
}

/// A user's group as it is on the wire (RFC 7643 section 4.1.2).
pub fn group_value(group: &GroupRef, base_url: &str) -> Value {
    let reference = format!("{base_url}{}/{}", ResourceKind::Group.endpoint(), group.id);
    json!({ "value": group.id, "$ref": reference, "display": group.display, "type": "direct" })
}
