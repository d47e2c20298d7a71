//! Which stored events are told outward as which type.

use crate::group::GroupEventKind;
use crate::log::{AggregateKind, Record};
use crate::organization::OrganizationEventKind;
use crate::public_type::PublicType;
use crate::user::UserEventKind;

/// The type of a record's events, without reading its payload; none if it is not told outward.
pub fn of_record(record: &Record) -> Option<PublicType> {
    of_stored(record.stream.kind, &record.event_type)
}

fn of_stored(kind: AggregateKind, event_type: &str) -> Option<PublicType> {
    match kind {
        AggregateKind::User => UserEventKind::named(event_type).and_then(of_user),
        AggregateKind::Group => GroupEventKind::named(event_type).map(of_group),
        AggregateKind::Organization => {
            OrganizationEventKind::named(event_type).and_then(of_organization)
        }
        AggregateKind::Deployment | AggregateKind::Consumer => None,
    }
}

fn of_user(kind: UserEventKind) -> Option<PublicType> {
    Some(match kind {
        UserEventKind::Created => PublicType::UserCreated,
        UserEventKind::Renamed | UserEventKind::Changed => PublicType::UserUpdated,
        UserEventKind::Activated => PublicType::UserReactivated,
        UserEventKind::Deactivated => PublicType::UserDeactivated,
        UserEventKind::Deleted => PublicType::UserDeleted,
        UserEventKind::Erased => PublicType::UserErased,
        UserEventKind::SignedIn => PublicType::LoginSucceeded,
        UserEventKind::LoginRefused => PublicType::LoginRefused,
        UserEventKind::SessionEnded => PublicType::SessionEnded,
        // Says how fast an end took hold, which is ours to know.
        UserEventKind::SessionRefused => return None,
        // What may be erased, and why not, is between the organization and us.
        UserEventKind::Held | UserEventKind::Released => return None,
        // Says how logins are judged, which is between the organization and us.
        UserEventKind::ObjectIdPinned | UserEventKind::ObjectIdReleased => return None,
    })
}

fn of_group(kind: GroupEventKind) -> PublicType {
    match kind {
        GroupEventKind::Created => PublicType::GroupCreated,
        GroupEventKind::Renamed => PublicType::GroupRenamed,
        GroupEventKind::Changed => PublicType::GroupUpdated,
        GroupEventKind::MembersAdded => PublicType::GroupMemberAdded,
        GroupEventKind::MembersRemoved => PublicType::GroupMemberRemoved,
        GroupEventKind::Deleted => PublicType::GroupDeleted,
    }
}

/// Settings, keys and certificates are between the organization and us.
fn of_organization(kind: OrganizationEventKind) -> Option<PublicType> {
    match kind {
        OrganizationEventKind::ProvisioningRhythmChanged => Some(PublicType::RhythmChanged),
        OrganizationEventKind::LoginRefused => Some(PublicType::LoginRefused),
        _ => None,
    }
}

/// The names of the stored events that are told as some type: what finds them in an index.
pub fn sources(wanted: impl Fn(PublicType) -> bool) -> Vec<&'static str> {
    let users = UserEventKind::ALL.iter().map(|k| (k.as_str(), of_user(*k)));
    let groups = GroupEventKind::ALL.iter().map(|k| (k.as_str(), Some(of_group(*k))));
    let organization = OrganizationEventKind::ALL.iter().map(|k| (k.as_str(), of_organization(*k)));
    let all = users.chain(groups).chain(organization);
    all.filter(|(_, public)| public.is_some_and(&wanted)).map(|(name, _)| name).collect()
}
