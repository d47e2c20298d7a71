//! Which access an exchange was to end.

use super::class::Class;
use crate::access_end::AccessEnd;
use crate::exchange::Exchange;
use crate::facts::{Wants, is_active};
use crate::ids::ResourceId;
use crate::scim::ResourceKind;
use std::collections::BTreeSet;

/// The kind of resource that an operation is about, by its name.
pub fn kind_of(operation: &str) -> Option<ResourceKind> {
    match operation.split('.').next() {
        Some("users") => Some(ResourceKind::User),
        Some("groups") => Some(ResourceKind::Group),
        _ => None,
    }
}

/// What an exchange wanted, apart: the access that was to end, and the keys of all else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The access that was to end: whether it has is told by the directory.
    pub ends: BTreeSet<AccessEnd>,
    /// The rest, by [`Wants::keys`].
    pub keys: BTreeSet<String>,
}

/// What an exchange about a resource wanted.
pub fn wishes(exchange: &Exchange, subject: Option<ResourceId>) -> Wishes {
    let wants = &exchange.facts.wants;
    let kind = kind_of(&exchange.operation);
    let class = Class::of(&exchange.operation);
    let mut ends: BTreeSet<AccessEnd> = wants.ends.iter().cloned().collect();
    if let (Some(kind), Some(subject), Class::Change | Class::Delete) = (kind, subject, class) {
        ends.extend(ends_of(kind, subject, wants));
    }
    let keys = wants.keys().into_iter().filter(|key| !is_told_by(&ends, key)).collect();
    Wishes { ends, keys }
}

/// The access that a write of a resource was to end.
pub(super) fn ends_of(kind: ResourceKind, id: ResourceId, wants: &Wants) -> BTreeSet<AccessEnd> {
    match kind {
        ResourceKind::User if wants.deletes => [AccessEnd::UserDeleted { user: id }].into(),
        ResourceKind::Group if wants.deletes => [AccessEnd::GroupDeleted { group: id }].into(),
        ResourceKind::User if wants.ends_access => [AccessEnd::Disabled { user: id }].into(),
        ResourceKind::Group if wants.ends_access => members_of(id, wants),
        ResourceKind::User | ResourceKind::Group => BTreeSet::new(),
    }
}

fn members_of(group: ResourceId, wants: &Wants) -> BTreeSet<AccessEnd> {
    let mut ends: BTreeSet<AccessEnd> =
        wants.removed.iter().map(|member| AccessEnd::Removed { group, member: *member }).collect();
    let is_whole = wants.more == 0;
    if wants.members_replaced && is_whole {
        let but = wants.added.iter().copied().collect();
        ends.insert(AccessEnd::OthersRemoved { group, but });
    }
    // Exchanges of before say no more than that somebody was to lose access.
    if wants.removes_somebody || !is_whole || ends.is_empty() {
        ends.insert(AccessEnd::SomebodyRemoved { group, request: wants.request.clone() });
    }
    ends
}

/// Whether a key says what one of these says already.
pub(super) fn is_told_by(ends: &BTreeSet<AccessEnd>, key: &str) -> bool {
    ends.iter().any(|end| match end {
        AccessEnd::Disabled { .. } => is_active(key),
        AccessEnd::UserDeleted { .. } | AccessEnd::GroupDeleted { .. } => key == "deletion",
        AccessEnd::Removed { member, .. } => {
            key.strip_prefix("m:").is_some_and(|id| id == member.to_string())
        }
        AccessEnd::OthersRemoved { .. } => key == "members",
        AccessEnd::SomebodyRemoved { .. } => false,
    })
}

/// Whether a write that succeeded takes back that an access is to end, as its client says by name:
/// on again, in again, or another list in place of the one before; or it is the very request that
/// could not be read before.
pub fn takes_back(done: &Wants, end: &AccessEnd) -> bool {
    match end {
        AccessEnd::Disabled { .. } => done.enables || said_active_before_it_was_told(done),
        AccessEnd::Removed { member, .. } => done.added.contains(member),
        AccessEnd::OthersRemoved { .. } => done.members_replaced,
        AccessEnd::SomebodyRemoved { request, .. } => {
            done.members_replaced || (request.is_some() && *request == done.request)
        }
        AccessEnd::UserDeleted { .. } | AccessEnd::GroupDeleted { .. } => false,
    }
}

/// Exchanges of before say that `active` was set and that nobody was to lose access by it, which
/// leaves that somebody was to be active.
fn said_active_before_it_was_told(done: &Wants) -> bool {
    let is_old = done.request.is_none() && !done.deletes;
    let set = |change: &crate::facts::Change| {
        change.path.eq_ignore_ascii_case("active") && change.value.is_some()
    };
    is_old && !done.ends_access && done.attributes.iter().any(set)
}
