//! What a command on a group comes to.

use super::{Group, GroupCommand, GroupError, GroupEvent, Members};
use crate::claim::{ClaimChanges, ClaimKind, ClearClaim};
use crate::context::Context;
use crate::decision::Decision;
use crate::diff;
use crate::fold_text::fold_text;
use crate::ids::ResourceId;
use crate::interpretation::{Notes, Reading};
use crate::scim::{Attributes, Intent, ResourceKind, apply_intents};
use serde_json::Value;
use std::collections::HashSet;

/// Decides a command. A command that changes nothing yields no event.
pub fn decide(
    group: &Group,
    command: GroupCommand,
    _: &Context,
) -> Result<Decision<GroupEvent>, GroupError> {
    let mut notes = Notes::default();
    let events = events(group, command, &mut notes)?;
    Ok(Decision { events, notes })
}

fn events(
    group: &Group,
    command: GroupCommand,
    notes: &mut Notes,
) -> Result<Vec<GroupEvent>, GroupError> {
    match (group, command) {
        (Group::Absent, GroupCommand::Create { attributes, members }) => {
            let mut events = vec![GroupEvent::Created { attributes }];
            if !members.is_empty() {
                events.push(GroupEvent::MembersAdded { members });
            }
            Ok(events)
        }
        (Group::Present { .. } | Group::Deleted, GroupCommand::Create { .. }) => {
            Err(GroupError::AlreadyExists)
        }
        (Group::Absent | Group::Deleted, _) => Err(GroupError::NotFound),
        (Group::Present { attributes, members }, GroupCommand::Change { intents }) => {
            let after = apply_intents(ResourceKind::Group, attributes, &intents, notes)?;
            let mut events = difference(attributes, &after);
            let mut churn = Churn::of(members);
            intents.iter().for_each(|intent| churn.take(intent, notes));
            churn.tell(&mut events);
            Ok(events)
        }
        (
            Group::Present { attributes, members },
            GroupCommand::Replace { attributes: after, members: new },
        ) => {
            let mut events = difference(attributes, &after);
            let mut churn = Churn::of(members);
            if let Some(new) = new {
                churn.replace(&new);
            }
            churn.tell(&mut events);
            Ok(events)
        }
        (Group::Present { attributes, .. }, GroupCommand::Delete) => {
            Ok(vec![GroupEvent::Deleted { display_name: display_name(attributes).to_owned() }])
        }
    }
}

/// In a group of more, a replacement of most of its members is worth a mark: a client may have
/// meant "add".
const LARGE: usize = 10;

/// Joins and leaves of one command, against the members before it.
struct Churn<'a> {
    before: &'a Members,
    /// Ids this command touched, in the order in which it touched them first.
    touched: Vec<ResourceId>,
    seen: HashSet<ResourceId>,
    now: Members,
}

impl<'a> Churn<'a> {
    fn of(before: &'a Members) -> Self {
        Self { before, touched: Vec::new(), seen: HashSet::new(), now: before.clone() }
    }

    fn touch(&mut self, id: ResourceId) {
        if self.seen.insert(id) {
            self.touched.push(id);
        }
    }

    fn take(&mut self, intent: &Intent, notes: &mut Notes) {
        match intent {
            Intent::AddMembers(ids) => {
                for id in ids {
                    self.touch(*id);
                    self.now.insert_mut(*id);
                }
            }
            Intent::RemoveMembers(ids) => {
                for id in ids {
                    self.touch(*id);
                    if !self.now.remove_mut(id) {
                        notes.note(Reading::RemoveAbsent, "members");
                    }
                }
            }
            Intent::ReplaceMembers(ids) => {
                self.replace(ids);
                if self.before.size() > LARGE
                    && 2 * self.before.iter().filter(|id| !self.now.contains(*id)).count()
                        > self.before.size()
                {
                    notes.note(Reading::MostMembersReplaced, "members");
                }
            }
            Intent::ClearMembers => self.replace(&[]),
            Intent::Add { .. }
            | Intent::Replace { .. }
            | Intent::Remove { .. }
            | Intent::Assert { .. } => {}
        }
    }

    fn replace(&mut self, ids: &[ResourceId]) {
        let old: Vec<ResourceId> = self.now.iter().copied().collect();
        old.into_iter().chain(ids.iter().copied()).for_each(|id| self.touch(id));
        self.now = ids.iter().copied().collect();
    }

    fn tell(self, events: &mut Vec<GroupEvent>) {
        let was = |id: &ResourceId| self.before.contains(id);
        let is = |id: &ResourceId| self.now.contains(id);
        let removed: Vec<_> =
            self.touched.iter().copied().filter(|id| was(id) && !is(id)).collect();
        let added: Vec<_> = self.touched.iter().copied().filter(|id| !was(id) && is(id)).collect();
        if !removed.is_empty() {
            events.push(GroupEvent::MembersRemoved { members: removed });
        }
        if !added.is_empty() {
            events.push(GroupEvent::MembersAdded { members: added });
        }
    }
}

fn difference(before: &Attributes, after: &Attributes) -> Vec<GroupEvent> {
    let mut events = Vec::new();
    let (old, new) = (display_name(before), display_name(after));
    if old != new {
        events.push(GroupEvent::Renamed { before: old.to_owned(), after: new.to_owned() });
    }
    let changes = diff::changes(before, after, &["displayName"]);
    if !changes.is_empty() {
        events.push(GroupEvent::Changed { changes });
    }
    events
}

fn display_name(attributes: &Attributes) -> &str {
    attributes.get("displayName").and_then(Value::as_str).unwrap_or_default()
}

/// The claims that go with a group's events: its `displayName` and its id.
pub fn claims(id: ResourceId, events: &[GroupEvent]) -> ClaimChanges<ClearClaim> {
    let name = |n: &str| ClearClaim::new(ClaimKind::GroupName, fold_text(n));
    let resource = || ClearClaim::new(ClaimKind::Resource, id.to_string());
    let mut claims = ClaimChanges::default();
    for event in events {
        match event {
            GroupEvent::Created { attributes } => {
                claims.take.extend([name(display_name(attributes)), resource()])
            }
            GroupEvent::Renamed { before, after } if fold_text(before) != fold_text(after) => {
                claims.release.push(name(before));
                claims.take.push(name(after));
            }
            GroupEvent::Deleted { display_name } => {
                claims.release.extend([name(display_name), resource()])
            }
            GroupEvent::Renamed { .. }
            | GroupEvent::Changed { .. }
            | GroupEvent::MembersAdded { .. }
            | GroupEvent::MembersRemoved { .. } => {}
        }
    }
    claims
}

/// The resources a command refers to, which must exist: also those that are members already, for
/// saying "done" about somebody who is gone would be a false success.
pub fn required(id: ResourceId, command: &GroupCommand) -> Result<Vec<ResourceId>, GroupError> {
    let mut ids = Vec::new();
    match command {
        GroupCommand::Create { members, .. }
        | GroupCommand::Replace { members: Some(members), .. } => ids.extend(members),
        GroupCommand::Change { intents } => {
            for intent in intents {
                if let Intent::AddMembers(members) | Intent::ReplaceMembers(members) = intent {
                    ids.extend(members);
                }
            }
        }
        GroupCommand::Replace { members: None, .. } | GroupCommand::Delete => {}
    }
    match ids.contains(&id) {
        true => Err(GroupError::OwnMember(id)),
        false => Ok(ids),
    }
}
