//! Reading the directory.

use super::plan::{By, Plan};
use super::rows::{GroupRef, MemberKind, MemberRow, ResourceRow};
use super::wire::{group_value, member_value, wire};
use crate::columns::{Columns, columns, read_all, read_first};
use crate::table::{key_lists, numbered, with};
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::scim::ResourceKind;
use rollcall_domain::sql::{SqlError, SqlStore, SqlValue};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

columns! {
    /// A member, and its name as the one kind of resource or the other.
    struct NamedMember { since: u64 = "m.since", id: ResourceId = "m.member_id", user: Option<String> = "u.display", group: Option<String> = "g.display" }
}

columns! {
    struct Named { id: ResourceId, display: String }
}

columns! {
    struct MemberOf { member: ResourceId = "m.member_id", id: ResourceId = "m.group_id", display: String = "g.display" }
}

columns! {
    struct Standing { group: ResourceId = "group_id", member: ResourceId = "member_id" }
}

/// Reads the directory.
#[derive(Clone)]
pub struct Directory {
    pub(super) views: Arc<dyn SqlStore>,
}

/// Rows of a list read at once.
pub(super) const PAGE: usize = 1_000;

impl Directory {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// A user.
    pub async fn user(
        &self,
        organization: OrganizationId,
        user: ResourceId,
    ) -> Result<Option<ResourceRow>, SqlError> {
        self.one(organization, ResourceKind::User, user).await
    }

    /// A group, without its members.
    pub async fn group(
        &self,
        organization: OrganizationId,
        group: ResourceId,
    ) -> Result<Option<ResourceRow>, SqlError> {
        self.one(organization, ResourceKind::Group, group).await
    }

    async fn one(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        id: ResourceId,
    ) -> Result<Option<ResourceRow>, SqlError> {
        let params = vec![organization.into(), id.to_string().into()];
        Ok(self.rows(kind, "id = $2", params).await?.pop())
    }

    /// A group's members in the order in which they joined.
    pub async fn members(
        &self,
        organization: OrganizationId,
        group: ResourceId,
    ) -> Result<Vec<MemberRow>, SqlError> {
        self.members_as(organization, group, |member| member).await
    }

    /// The first members, as many as are asked for or all, that joined after a place, each with its
    /// own.
    pub(super) async fn members_after(
        &self,
        organization: OrganizationId,
        group: ResourceId,
        after: u64,
        most: Option<usize>,
    ) -> Result<Vec<(u64, MemberRow)>, SqlError> {
        let most = most.map(|most| format!(" LIMIT {most}")).unwrap_or_default();
        let sql = format!(
            "SELECT {} FROM directory_members m \
             LEFT JOIN directory_users u ON u.organization = m.organization AND u.id = m.member_id \
             LEFT JOIN directory_groups g ON g.organization = m.organization AND g.id = m.member_id \
             WHERE m.organization = $1 AND m.group_id = $2 AND m.since > $3 ORDER BY m.since{most}",
            NamedMember::list()
        );
        let params = vec![organization.into(), group.to_string().into(), after.into()];
        let rows = self.views.query(&sql, params).await?;
        let members = read_all(rows)?.into_iter().map(|named: NamedMember| {
            let NamedMember { since, id, user, group: inner } = named;
            let (kind, display) = match (user, inner) {
                (Some(display), None) => (MemberKind::User, display),
                (None, Some(display)) => (MemberKind::Group, display),
                _ => {
                    return Err(SqlError::Shape(format!(
                        "a member of group {group} is not exactly one resource"
                    )));
                }
            };
            Ok((since, MemberRow { id, kind, display }))
        });
        members.collect()
    }

    /// These resources as the members of a group are on the wire, as far as they are there.
    pub async fn members_on_wire(
        &self,
        organization: OrganizationId,
        ids: &[ResourceId],
        base_url: &str,
    ) -> Result<HashMap<ResourceId, Value>, SqlError> {
        let mut found = HashMap::new();
        let keys: Vec<SqlValue> = ids.iter().map(|id| id.to_string().into()).collect();
        for (kind, table) in
            [(MemberKind::User, "directory_users"), (MemberKind::Group, "directory_groups")]
        {
            for keys in key_lists(&keys) {
                let (columns, among) = (Named::list(), numbered(2, keys.len()));
                let sql = format!(
                    "SELECT {columns} FROM {table} WHERE organization = $1 AND id IN ({among})"
                );
                for Named { id, display } in
                    read_all(self.views.query(&sql, with(organization.into(), keys)).await?)?
                {
                    let member = MemberRow { id, kind, display };
                    found.insert(member.id, member_value(&member, base_url));
                }
            }
        }
        Ok(found)
    }

    /// A group's members as they are on the wire.
    pub async fn members_of_group_on_wire(
        &self,
        organization: OrganizationId,
        group: ResourceId,
        base_url: &str,
    ) -> Result<HashMap<ResourceId, Value>, SqlError> {
        let of = |m: MemberRow| (m.id, member_value(&m, base_url));
        Ok(self.members_as(organization, group, of).await?.into_iter().collect())
    }

    /// How many members these groups have together.
    pub(super) async fn count_members(
        &self,
        organization: OrganizationId,
        groups: &[ResourceRow],
    ) -> Result<u64, SqlError> {
        let mut members = 0;
        let keys: Vec<SqlValue> = groups.iter().map(|group| group.id.to_string().into()).collect();
        for keys in key_lists(&keys) {
            let sql = format!(
                "SELECT count(*) FROM directory_members WHERE organization = $1 AND group_id IN ({})",
                numbered(2, keys.len())
            );
            let rows = self.views.query(&sql, with(organization.into(), keys)).await?;
            members += read_first::<u64>(rows)?.unwrap_or_default();
        }
        Ok(members)
    }

    /// The groups that users are in directly, in the order in which they joined. Users in none are
    /// absent.
    pub async fn groups_of(
        &self,
        organization: OrganizationId,
        users: &[ResourceId],
    ) -> Result<HashMap<ResourceId, Vec<GroupRef>>, SqlError> {
        let mut found: HashMap<_, Vec<_>> = HashMap::new();
        let keys: Vec<SqlValue> = users.iter().map(|id| id.to_string().into()).collect();
        for keys in key_lists(&keys) {
            let sql = format!(
                "SELECT {} FROM directory_members m \
                 JOIN directory_groups g ON g.organization = m.organization AND g.id = m.group_id \
                 WHERE m.organization = $1 AND m.member_id IN ({}) ORDER BY m.since",
                MemberOf::list(),
                numbered(2, keys.len())
            );
            for MemberOf { member, id, display } in
                read_all(self.views.query(&sql, with(organization.into(), keys)).await?)?
            {
                found.entry(member).or_default().push(GroupRef { id, display });
            }
        }
        Ok(found)
    }

    /// Resources as they are on the wire. Groups of users and members of groups are read only if
    /// asked for.
    pub async fn render(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        rows: &[ResourceRow],
        base_url: &str,
        with_references: bool,
    ) -> Result<Vec<Value>, SqlError> {
        let mut out = Vec::with_capacity(rows.len());
        if kind == ResourceKind::Group {
            for row in rows {
                let members = match with_references {
                    true => {
                        let of = |m: MemberRow| member_value(&m, base_url);
                        Some(self.members_as(organization, row.id, of).await?)
                    }
                    false => None,
                };
                out.push(wire(kind, row, base_url, None, members));
            }
            return Ok(out);
        }
        let mut groups = HashMap::new();
        if with_references {
            groups = self
                .groups_of(organization, &rows.iter().map(|r| r.id).collect::<Vec<_>>())
                .await?;
        }
        for row in rows {
            let of = groups.remove(&row.id).unwrap_or_default();
            let of = with_references.then(|| of.iter().map(|g| group_value(g, base_url)).collect());
            out.push(wire(kind, row, base_url, of, None));
        }
        Ok(out)
    }

    /// The groups that a user is in, as they are on the wire.
    pub async fn groups_on_wire(
        &self,
        organization: OrganizationId,
        user: ResourceId,
        base_url: &str,
    ) -> Result<Vec<Value>, SqlError> {
        let groups = self.groups_of(organization, &[user]).await?.remove(&user).unwrap_or_default();
        Ok(groups.iter().map(|g| group_value(g, base_url)).collect())
    }

    /// How many resources there are.
    pub(super) async fn total(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
    ) -> Result<u64, SqlError> {
        let sql = format!("SELECT count(*) FROM {} WHERE organization = $1", table(kind));
        let rows = self.views.query(&sql, vec![organization.into()]).await?;
        Ok(read_first(rows)?.unwrap_or_default())
    }

    /// The resources after a place, in order.
    pub(super) async fn after(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        seq: u64,
        limit: u64,
    ) -> Result<Vec<ResourceRow>, SqlError> {
        self.rows(
            kind,
            "seq > $2 ORDER BY seq LIMIT $3",
            vec![organization.into(), seq.into(), limit.into()],
        )
        .await
    }

    /// The resources after as many others, in order.
    pub(super) async fn skip(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<ResourceRow>, SqlError> {
        // The inner query counts along the index alone.
        let sql = format!(
            "seq IN (SELECT seq FROM {} WHERE organization = $1 ORDER BY seq LIMIT $2 OFFSET $3) ORDER BY seq",
            table(kind)
        );
        self.rows(kind, &sql, vec![organization.into(), limit.into(), skip.into()]).await
    }

    /// The resources at these places, by place.
    pub(super) async fn at(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        places: &[u64],
    ) -> Result<HashMap<u64, ResourceRow>, SqlError> {
        let mut found = HashMap::new();
        let keys: Vec<SqlValue> = places.iter().map(|seq| (*seq).into()).collect();
        for keys in key_lists(&keys) {
            let condition = format!("seq IN ({})", numbered(2, keys.len()));
            let rows = self.rows(kind, &condition, with(organization.into(), keys)).await?;
            found.extend(rows.into_iter().map(|row| (row.seq, row)));
        }
        Ok(found)
    }

    /// What a plan finds, in order; none if that is more than a page, so that looking at every
    /// resource is as good.
    pub(super) async fn look_up(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        plan: Plan,
    ) -> Result<Option<Vec<ResourceRow>>, SqlError> {
        let mut found = BTreeMap::new();
        for (by, keys) in plan {
            let keys: Vec<SqlValue> = keys.into_iter().map(Into::into).collect();
            for keys in key_lists(&keys) {
                for row in self.lookup(organization, kind, by, keys).await? {
                    found.insert(row.seq, row);
                }
                if found.len() > PAGE {
                    return Ok(None);
                }
            }
        }
        Ok(Some(found.into_values().collect()))
    }

    async fn lookup(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        by: By,
        keys: Vec<SqlValue>,
    ) -> Result<Vec<ResourceRow>, SqlError> {
        let n = keys.len();
        let condition = format!("{} LIMIT ${}", by.condition(&numbered(2, n)), n + 2);
        let mut params = with(organization.into(), keys);
        params.push((PAGE as u64 + 1).into());
        self.rows(kind, &condition, params).await
    }

    /// Which of these resources stand in a membership with which of those named.
    pub(super) async fn named(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        resources: &[ResourceRow],
        named: &[SqlValue],
    ) -> Result<HashMap<ResourceId, Vec<String>>, SqlError> {
        let (own, other) = match kind {
            ResourceKind::User => ("member_id", "group_id"),
            ResourceKind::Group => ("group_id", "member_id"),
        };
        let columns = Standing::list();
        let mut found: HashMap<_, Vec<_>> = HashMap::new();
        let owners: Vec<SqlValue> = resources.iter().map(|row| row.id.to_string().into()).collect();
        for owners in key_lists(&owners) {
            for named in key_lists(named) {
                let sql = format!(
                    "SELECT {columns} FROM directory_members WHERE organization = $1 AND {own} IN ({}) AND {other} IN ({})",
                    numbered(2, owners.len()),
                    numbered(2 + owners.len(), named.len())
                );
                let params =
                    with(organization.into(), owners.iter().cloned().chain(named).collect());
                for Standing { group, member } in read_all(self.views.query(&sql, params).await?)? {
                    let (own, other) = match kind {
                        ResourceKind::User => (member, group),
                        ResourceKind::Group => (group, member),
                    };
                    found.entry(own).or_default().push(other.to_string());
                }
            }
        }
        Ok(found)
    }

    async fn rows(
        &self,
        kind: ResourceKind,
        condition: &str,
        params: Vec<SqlValue>,
    ) -> Result<Vec<ResourceRow>, SqlError> {
        let sql = format!(
            "SELECT {} FROM {} WHERE organization = $1 AND {condition}",
            ResourceRow::list(),
            table(kind)
        );
        read_all(self.views.query(&sql, params).await?)
    }
}

fn table(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::User => super::USERS.name,
        ResourceKind::Group => super::GROUPS.name,
    }
}
