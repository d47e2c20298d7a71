//! The names of SCIM events (RFC 9967), of which a security event token has one.

/// What came to be: in full, or as a notice.
pub const CREATE: [&str; 2] = [
    "urn:ietf:params:scim:event:prov:create:full",
    "urn:ietf:params:scim:event:prov:create:notice",
];
/// What changed: in full, or as a notice.
pub const PATCH: [&str; 2] =
    ["urn:ietf:params:scim:event:prov:patch:full", "urn:ietf:params:scim:event:prov:patch:notice"];
/// What is gone.
pub const DELETE: &str = "urn:ietf:params:scim:event:prov:delete";
/// What a stream is about from now on.
pub const ADDED: &str = "urn:ietf:params:scim:event:feed:add";
/// What a stream is about no more.
pub const REMOVED: &str = "urn:ietf:params:scim:event:feed:remove";
/// Who was switched on.
pub const ACTIVATE: &str = "urn:ietf:params:scim:event:prov:activate";
/// Who was switched off.
pub const DEACTIVATE: &str = "urn:ietf:params:scim:event:prov:deactivate";
