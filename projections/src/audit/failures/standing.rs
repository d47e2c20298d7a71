//! Who has access, as of any position that the exchanges of a page stand at: what the history of
//! the directory says, and what the page's own records add to it.

use crate::audit::history::{OPEN, PLACES};
use crate::columns::{Columns, columns, read_all};
use crate::table::{key_lists, numbered};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::failure::AccessEnd;
use rollcall_domain::group::GroupEvent;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::{Position, Record};
use rollcall_domain::scim::{Attributes, ResourceKind};
use rollcall_domain::sql::{SqlError, SqlTransaction, SqlValue};
use rollcall_domain::user::UserEvent;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Of so many members at most that a replacement takes out, each is kept; of more it is kept that
/// somebody was to be out.
const MOST_MEMBERS: usize = 2_000;

columns! {
    struct StateOf {
        id: ResourceId,
        kind: ResourceKind,
        active: Option<bool>,
        since: Position,
        until: Position,
    }
}

columns! {
    struct StayOf {
        group: ResourceId = "group_id",
        member: ResourceId = "member_id",
        since: u64,
        until: Position,
    }
}

/// What is to be known.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Whether these are there, and active.
    pub resources: BTreeSet<ResourceId>,
    /// Whether these are in these groups.
    pub members: BTreeMap<ResourceId, BTreeSet<ResourceId>>,
    /// Who is in these groups.
    pub groups: BTreeSet<ResourceId>,
}

impl Asked {
    /// Whatever tells whether these ends have come.
    pub fn ends(&mut self, ends: &BTreeSet<AccessEnd>) {
        for end in ends {
            self.resources.extend(end.resources());
            match end {
                AccessEnd::Removed { group, member } => self.members(*group, &[*member]),
                AccessEnd::OthersRemoved { group, .. }
                | AccessEnd::SomebodyRemoved { group, .. } => _ = self.groups.insert(*group),
                AccessEnd::Disabled { .. }
                | AccessEnd::UserDeleted { .. }
                | AccessEnd::GroupDeleted { .. } => {}
            }
        }
    }

    /// Whether these are in a group.
    pub fn members(&mut self, group: ResourceId, members: &[ResourceId]) {
        if !members.is_empty() {
            self.members.entry(group).or_default().extend(members);
        }
    }
}

/// A user or group from a position on, until the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Gone,
    Group,
    User { active: bool },
}

/// Who has access.
#[derive(Debug, Default)]
pub(super) struct Standing {
    asked: Asked,
    states: BTreeMap<ResourceId, BTreeMap<Position, State>>,
    /// From and to which position each was in a group.
    stays: BTreeMap<(ResourceId, ResourceId), Vec<(Position, Position)>>,
}

impl Standing {
    /// Reads what history knows of these, from a position on.
    pub async fn fetch(
        tx: &mut dyn SqlTransaction,
        organization: OrganizationId,
        asked: Asked,
        from: Position,
    ) -> Result<Self, SqlError> {
        let mut standing = Self { asked, ..Self::default() };
        standing.fetch_states(tx, organization, from).await?;
        for group in standing.asked.groups.clone() {
            standing.fetch_group(tx, organization, group, from).await?;
        }
        for (group, members) in standing.asked.members.clone() {
            let members: Vec<SqlValue> = members.iter().map(|m| m.to_string().into()).collect();
            for members in key_lists(&members) {
                let list = numbered(4, members.len());
                let sql = format!(
                    "SELECT {} FROM history_memberships WHERE organization = $1 AND group_id = $2 \
                     AND until > $3 AND member_id IN ({list})",
                    StayOf::list()
                );
                let params = [organization.into(), group.to_string().into(), from.into()];
                let params = params.into_iter().chain(members).collect();
                for stay in read_all(tx.query(&sql, params).await?)? {
                    standing.stay(stay);
                }
            }
        }
        Ok(standing)
    }

    async fn fetch_states(
        &mut self,
        tx: &mut dyn SqlTransaction,
        organization: OrganizationId,
        from: Position,
    ) -> Result<(), SqlError> {
        let ids: Vec<SqlValue> =
            self.asked.resources.iter().map(|id| id.to_string().into()).collect();
        for ids in key_lists(&ids) {
            let sql = format!(
                "SELECT {} FROM history_resources WHERE organization = $1 AND until > $2 \
                 AND id IN ({}) ORDER BY since",
                StateOf::list(),
                numbered(3, ids.len())
            );
            let params = [organization.into(), from.into()].into_iter().chain(ids).collect();
            for StateOf { id, kind, active, since, until } in
                read_all(tx.query(&sql, params).await?)?
            {
                let state = match kind {
                    ResourceKind::User => State::User { active: active != Some(false) },
                    ResourceKind::Group => State::Group,
                };
                let states = self.states.entry(id).or_default();
                states.insert(since, state);
                states.insert(until, State::Gone);
            }
        }
        Ok(())
    }

    async fn fetch_group(
        &mut self,
        tx: &mut dyn SqlTransaction,
        organization: OrganizationId,
        group: ResourceId,
        from: Position,
    ) -> Result<(), SqlError> {
        let sql = format!(
            "SELECT {} FROM history_memberships WHERE organization = $1 AND group_id = $2 \
             AND until > $3",
            StayOf::list()
        );
        let params = vec![organization.into(), group.to_string().into(), from.into()];
        for stay in read_all(tx.query(&sql, params).await?)? {
            self.stay(stay);
        }
        Ok(())
    }

    fn stay(&mut self, StayOf { group, member, since, until }: StayOf) {
        let stays = self.stays.entry((group, member)).or_default();
        let stay = (since / PLACES, until);
        if !stays.contains(&stay) {
            stays.push(stay);
        }
    }

    /// Takes note of a record of the page.
    pub fn record(&mut self, record: &Record, event: &DomainEvent) {
        let (id, at) = (ResourceId(record.stream.id), record.position);
        match event {
            DomainEvent::User(event) => match event {
                UserEvent::Created { attributes } => {
                    self.becomes(id, at, State::User { active: is_active(attributes.value()) });
                }
                UserEvent::Activated {} => self.becomes(id, at, State::User { active: true }),
                UserEvent::Deactivated {} => self.becomes(id, at, State::User { active: false }),
                UserEvent::Deleted { .. } => self.gone(id, at),
                _ => {}
            },
            DomainEvent::Group(event) => match event {
                GroupEvent::Created { .. } => self.becomes(id, at, State::Group),
                GroupEvent::Deleted { .. } => self.gone(id, at),
                GroupEvent::MembersAdded { members } => {
                    let asked = |member: &&ResourceId| self.is_asked(id, **member);
                    let joined: Vec<ResourceId> = members.iter().filter(asked).copied().collect();
                    for member in joined {
                        self.stays.entry((id, member)).or_default().push((at, OPEN));
                    }
                }
                GroupEvent::MembersRemoved { members } => {
                    members.iter().for_each(|member| self.leaves(id, *member, at));
                }
                GroupEvent::Renamed { .. } | GroupEvent::Changed { .. } => {}
            },
            DomainEvent::Organization(_)
            | DomainEvent::Deployment(_)
            | DomainEvent::Consumer(_)
            | DomainEvent::Lost(_) => {}
        }
    }

    fn becomes(&mut self, id: ResourceId, at: Position, state: State) {
        if self.asked.resources.contains(&id) {
            self.states.entry(id).or_default().insert(at, state);
        }
    }

    fn gone(&mut self, id: ResourceId, at: Position) {
        self.becomes(id, at, State::Gone);
        let of_it = self.stays.iter_mut().filter(|((g, m), _)| *g == id || *m == id);
        of_it.for_each(|(_, stays)| end(stays, at));
    }

    fn leaves(&mut self, group: ResourceId, member: ResourceId, at: Position) {
        if let Some(stays) = self.stays.get_mut(&(group, member)) {
            end(stays, at);
        }
    }

    fn is_asked(&self, group: ResourceId, member: ResourceId) -> bool {
        self.asked.groups.contains(&group)
            || self.asked.members.get(&group).is_some_and(|members| members.contains(&member))
    }

    fn state(&self, id: ResourceId, at: Position) -> State {
        let states = self.states.get(&id);
        let last = states.and_then(|states| states.range(..=at).next_back());
        last.map_or(State::Gone, |(_, state)| *state)
    }

    /// Whether a resource is there; of any kind, if none is named.
    pub fn is_there(&self, id: ResourceId, kind: Option<ResourceKind>, at: Position) -> bool {
        match (self.state(id, at), kind) {
            (State::Gone, _) => false,
            (_, None) => true,
            (State::Group, Some(kind)) => kind == ResourceKind::Group,
            (State::User { .. }, Some(kind)) => kind == ResourceKind::User,
        }
    }

    /// Whether somebody is in a group.
    pub fn is_member(&self, group: ResourceId, member: ResourceId, at: Position) -> bool {
        let stays = self.stays.get(&(group, member)).into_iter().flatten();
        stays.copied().any(|stay| holds(stay, at))
    }

    /// Who is in a group.
    fn members(&self, group: ResourceId, at: Position) -> BTreeSet<ResourceId> {
        let first = (group, ResourceId(Uuid::nil()));
        let last = (group, ResourceId(Uuid::max()));
        let of_it = self.stays.range(first..=last);
        let now = of_it.filter(|(_, stays)| stays.iter().any(|stay| holds(*stay, at)));
        now.map(|((_, member), _)| *member).collect()
    }

    /// Whether an access that was to end has ended.
    pub fn has_ended(&self, end: &AccessEnd, at: Position) -> bool {
        match end {
            AccessEnd::Disabled { user } => self.state(*user, at) != State::User { active: true },
            AccessEnd::UserDeleted { user } => !self.is_there(*user, Some(ResourceKind::User), at),
            AccessEnd::GroupDeleted { group } => {
                !self.is_there(*group, Some(ResourceKind::Group), at)
            }
            AccessEnd::Removed { group, member } => !self.is_member(*group, *member, at),
            AccessEnd::OthersRemoved { group, but } => self.members(*group, at).is_subset(but),
            AccessEnd::SomebodyRemoved { group, .. } => self.members(*group, at).is_empty(),
        }
    }

    /// An end in terms of whom it takes access from: of a list that was to replace another, everybody
    /// who is in the group now and not on it.
    pub fn each_of(&self, end: AccessEnd, request: Option<&str>, at: Position) -> Vec<AccessEnd> {
        let AccessEnd::OthersRemoved { group, but } = &end else { return vec![end] };
        let members = self.members(*group, at);
        let others = members.difference(but).copied();
        if others.clone().count() > MOST_MEMBERS {
            let request = request.map(str::to_owned);
            return vec![AccessEnd::SomebodyRemoved { group: *group, request }];
        }
        others.map(|member| AccessEnd::Removed { group: *group, member }).collect()
    }
}

fn holds((since, until): (Position, Position), at: Position) -> bool {
    since <= at && at < until
}

fn end(stays: &mut [(Position, Position)], at: Position) {
    stays.iter_mut().filter(|(_, until)| *until == OPEN).for_each(|(_, until)| *until = at);
}

fn is_active(attributes: &Attributes) -> bool {
    attributes.get("active").and_then(serde_json::Value::as_bool) != Some(false)
}
