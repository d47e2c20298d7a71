//! Who uses the console by which group, and what reviewers decide.

use super::console_group::{CONSOLE_GROUPS, ConsoleGroups, GroupRole};
use super::review::{AccessDecided, REMARK_CHARACTERS, Verdict};
use super::{OrganizationError, OrganizationEvent};
use crate::ids::ResourceId;
use crate::personal::Personal;

/// Lets the members of a group in, or no more (`role` is absent).
pub(super) fn console_group(
    groups: &ConsoleGroups,
    group: ResourceId,
    role: Option<GroupRole>,
) -> Result<Vec<OrganizationEvent>, OrganizationError> {
    match (groups.get(&group), role) {
        (None, None) => Err(OrganizationError::NoConsoleGroup(group)),
        (Some(_), None) => Ok(vec![OrganizationEvent::ConsoleGroupRemoved { group }]),
        (Some(before), Some(role)) if *before == role => Ok(vec![]),
        (None, Some(_)) if groups.len() >= CONSOLE_GROUPS => {
            Err(OrganizationError::TooManyConsoleGroups)
        }
        (_, Some(role)) => Ok(vec![OrganizationEvent::ConsoleGroupSet { group, role }]),
    }
}

/// Keeps a decision. A later one about the same membership takes its place in reviews; both stay
/// in the log.
pub(super) fn decided(decided: AccessDecided) -> Result<Vec<OrganizationEvent>, OrganizationError> {
    let remark = decided.remark.as_ref().map(Personal::value);
    let fits = |text: &String| {
        !text.trim().is_empty()
            && text.chars().count() <= REMARK_CHARACTERS
            && !text.chars().any(|c| c.is_control() && c != '\n')
    };
    if !remark.is_none_or(fits) || (remark.is_none() && decided.verdict == Verdict::Note) {
        return Err(OrganizationError::InvalidRemark);
    }
    if decided.since > decided.seen_at {
        return Err(OrganizationError::NotSeen);
    }
    Ok(vec![OrganizationEvent::AccessDecided(decided)])
}
