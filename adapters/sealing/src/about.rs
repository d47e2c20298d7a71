//! What a sealed value is bound to: put somewhere else, it does not open. **Frozen**: what was
//! sealed must open for ever.

use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::{StreamId, Version};

/// Fields, each behind its length, so that no two lists of fields are the same bytes.
fn fields(fields: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::with_capacity(fields.iter().map(|f| f.len() + 4).sum());
    for field in fields {
        all.extend_from_slice(&(field.len() as u32).to_be_bytes());
        all.extend_from_slice(field);
    }
    all
}

/// A value in the payload of an event, at this path of it.
pub(crate) fn value(stream: &StreamId, version: Version, event_type: &str, path: &str) -> Vec<u8> {
    fields(&[
        b"value",
        stream.organization.0.as_bytes(),
        stream.kind.as_str().as_bytes(),
        stream.id.as_bytes(),
        &version.to_be_bytes(),
        event_type.as_bytes(),
        path.as_bytes(),
    ])
}

/// Part of an exchange.
pub(crate) fn part(organization: OrganizationId, exchange: ExchangeId, part: &str) -> Vec<u8> {
    fields(&[b"exchange", organization.0.as_bytes(), exchange.0.as_bytes(), part.as_bytes()])
}

/// The state of an aggregate at a version.
pub(crate) fn state(stream: &StreamId, version: Version) -> Vec<u8> {
    fields(&[
        b"state",
        stream.organization.0.as_bytes(),
        stream.kind.as_str().as_bytes(),
        stream.id.as_bytes(),
        &version.to_be_bytes(),
    ])
}

/// A data key of an organization.
pub(crate) fn data_key(organization: OrganizationId) -> Vec<u8> {
    fields(&[b"data key", organization.0.as_bytes()])
}

/// The key of an organization.
pub(crate) fn organization_key(organization: OrganizationId) -> Vec<u8> {
    fields(&[b"organization key", organization.0.as_bytes()])
}
