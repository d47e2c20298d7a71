//! Who is in which group: table and fold. A group's members are never read to fold a change.

use crate::bad::Bad;
use crate::columns::{Stored, columns};
use crate::table::{Statement, key_lists, numbered};
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::Record;
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
    }

    /// One row for each membership. `since` is `position * 2^20 + place in the event`: a number
    /// that orders all memberships of an organization.
    pub table MEMBERS = "directory_members" {
        key: ["organization", "group_id", "member_id"],
        indexes: [["organization", "member_id", "since"], ["organization", "group_id", "since"], ["organization", "since"]],
        order: "since",
    }
}

const PLACES: u64 = 1 << 20;

/// What a page of records does to memberships: the last word on each, and what goes as a whole.
#[derive(Debug, Default)]
pub(crate) struct Members {
    groups: BTreeMap<Uuid, BTreeMap<Uuid, Option<u64>>>,
    /// Groups that hold an entry for a member, so that a deleted user is found without a search.
    groups_of: HashMap<Uuid, BTreeSet<Uuid>>,
    gone_groups: BTreeSet<Uuid>,
    gone_members: BTreeSet<Uuid>,
}

impl Members {
    /// These joined, in this order.
    pub fn add(&mut self, record: &Record, members: &[ResourceId]) -> Result<(), Bad> {
        for (place, member) in (0_u64..).zip(members) {
            let since =
                record.position.checked_mul(PLACES).filter(|_| place < PLACES).map(|s| s + place);
            self.set(
                record.stream.id,
                member.0,
                Some(since.ok_or_else(|| Bad::new("adds more members than can be numbered"))?),
            );
        }
        Ok(())
    }

    /// These left.
    pub fn remove(&mut self, group: Uuid, members: &[ResourceId]) {
        for member in members {
            self.set(group, member.0, None);
        }
    }

    fn set(&mut self, group: Uuid, member: Uuid, since: Option<u64>) {
        self.groups.entry(group).or_default().insert(member, since);
        self.groups_of.entry(member).or_default().insert(group);
    }

    /// A group is gone: its members leave it, and it leaves the groups it is in.
    pub fn group_gone(&mut self, group: Uuid) {
        self.groups.remove(&group);
        self.gone_groups.insert(group);
        self.member_gone(group);
    }

    /// A user or group leaves all groups it is in.
    pub fn member_gone(&mut self, member: Uuid) {
        for group in self.groups_of.remove(&member).unwrap_or_default() {
            if let Some(members) = self.groups.get_mut(&group) {
                members.remove(&member);
            }
        }
        self.gone_members.insert(member);
    }

    /// The statements: first what goes as a whole, then what left, then what joined.
    pub fn flush(self, organization: OrganizationId, out: &mut Vec<Statement>) -> Result<(), Bad> {
        let keys = |ids: &BTreeSet<Uuid>| {
            ids.iter().map(|id| id.to_string().into()).collect::<Vec<SqlValue>>()
        };
        MEMBERS.delete(organization, "group_id", &keys(&self.gone_groups), out);
        MEMBERS.delete(organization, "member_id", &keys(&self.gone_members), out);
        let mut joined = Vec::new();
        for (group_id, members) in self.groups {
            let mut left = Vec::new();
            for (member_id, since) in members {
                match since {
                    Some(since) => {
                        joined.push(MembershipRow { organization, group_id, member_id, since })
                    }
                    None => left.push(member_id.to_string().into()),
                }
            }
            for left in key_lists(&left) {
                let sql = format!(
                    "DELETE FROM directory_members WHERE organization = $1 AND group_id = $2 AND member_id IN ({})",
                    numbered(3, left.len())
                );
                out.push((
                    sql,
                    [organization.into(), group_id.to_string().into()]
                        .into_iter()
                        .chain(left)
                        .collect(),
                ));
            }
        }
        MembershipRow::upsert(joined, out)
    }
}
