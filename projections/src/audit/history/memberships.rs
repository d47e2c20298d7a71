//! Who was in which group, from when to when: table and fold. A group's members are never read to
//! fold a change.

use super::{OPEN, PLACES};
use crate::bad::Bad;
use crate::columns::{Stored, columns};
use crate::table::{Statement, key_lists, numbered};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::group::GroupEvent;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Position, Record};
use rollcall_domain::sql::SqlValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

columns! {
    #[derive(Debug)]
    struct MembershipRow {
        organization: OrganizationId,
        group_id: Uuid,
        member_id: Uuid,
        since: u64,
        until: Position,
    }

    /// One row for each time that somebody was in a group. `since` is `position * 2^20 + place in
    /// the event`, `until` a position.
    pub table MEMBERSHIPS = "history_memberships" {
        key: ["organization", "group_id", "since"],
        indexes: [["organization", "member_id", "group_id"], ["organization", "since"], ["organization", "until"]],
        order: "since",
    }
}

/// The memberships that a page of records begins and ends.
#[derive(Debug)]
pub(crate) struct Memberships {
    organization: OrganizationId,
    /// Begun in this page and not ended, by group and member.
    open: BTreeMap<(Uuid, Uuid), u64>,
    /// Groups that hold an open one, so that a deleted user is found without a search.
    groups_of: HashMap<Uuid, BTreeSet<Uuid>>,
    /// Begun and ended in this page.
    passed: Vec<MembershipRow>,
    /// Ends of what is in the table, in order: only the first end of each finds it open.
    ends: Vec<Statement>,
}

impl Memberships {
    pub fn new(organization: OrganizationId) -> Self {
        Self {
            organization,
            open: BTreeMap::new(),
            groups_of: HashMap::new(),
            passed: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Folds one event.
    pub fn apply(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        let DomainEvent::Group(event) = event else { return Ok(()) };
        let (group, position) = (record.stream.id, record.position);
        match event {
            GroupEvent::MembersAdded { members } => {
                for (place, member) in (0_u64..).zip(members) {
                    let since =
                        position.checked_mul(PLACES).filter(|_| place < PLACES).map(|s| s + place);
                    let since =
                        since.ok_or_else(|| Bad::new("adds more members than can be numbered"))?;
                    self.open.insert((group, member.0), since);
                    self.groups_of.entry(member.0).or_default().insert(group);
                }
            }
            GroupEvent::MembersRemoved { members } => {
                let stored: Vec<SqlValue> = members
                    .iter()
                    .filter(|m| !self.pass(group, m.0, position))
                    .map(|m| m.to_string().into())
                    .collect();
                for members in key_lists(&stored) {
                    let condition =
                        format!("group_id = $4 AND member_id IN ({})", numbered(5, members.len()));
                    self.end(
                        position,
                        &condition,
                        std::iter::once(group.to_string().into()).chain(members),
                    );
                }
            }
            GroupEvent::Deleted { .. } => {
                let members: Vec<Uuid> = self
                    .open
                    .range((group, Uuid::nil())..=(group, Uuid::max()))
                    .map(|((_, member), _)| *member)
                    .collect();
                for member in members {
                    self.pass(group, member, position);
                }
                self.end(position, "group_id = $4", std::iter::once(group.to_string().into()));
            }
            GroupEvent::Created { .. }
            | GroupEvent::Renamed { .. }
            | GroupEvent::Changed { .. } => {}
        }
        Ok(())
    }

    /// A user or group leaves all groups it is in.
    pub fn member_gone(&mut self, member: Uuid, position: Position) {
        for group in self.groups_of.get(&member).cloned().unwrap_or_default() {
            self.pass(group, member, position);
        }
        self.end(position, "member_id = $4", std::iter::once(member.to_string().into()));
    }

    /// Ends what began in this page; false if it did not.
    fn pass(&mut self, group: Uuid, member: Uuid, until: Position) -> bool {
        let Some(since) = self.open.remove(&(group, member)) else { return false };
        if let Some(groups) = self.groups_of.get_mut(&member) {
            groups.remove(&group);
        }
        self.passed.push(self.row(group, member, since, until));
        true
    }

    fn end(&mut self, until: Position, condition: &str, keys: impl Iterator<Item = SqlValue>) {
        // The sum keeps databases from looking at all that is open, which is most.
        let sql = format!(
            "UPDATE history_memberships SET until = $1 WHERE organization = $2 AND until + 0 = $3 AND {condition}"
        );
        let params =
            [until.into(), self.organization.into(), OPEN.into()].into_iter().chain(keys).collect();
        self.ends.push((sql, params));
    }

    fn row(&self, group_id: Uuid, member_id: Uuid, since: u64, until: Position) -> MembershipRow {
        MembershipRow { organization: self.organization, group_id, member_id, since, until }
    }

    /// The statements: first what ends, then what began.
    pub fn flush(mut self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        out.append(&mut self.ends);
        let mut rows = std::mem::take(&mut self.passed);
        rows.extend(
            self.open
                .iter()
                .map(|((group, member), since)| self.row(*group, *member, *since, OPEN)),
        );
        MembershipRow::upsert(rows, out)
    }
}
