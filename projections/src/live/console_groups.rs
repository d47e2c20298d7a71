//! Groups whose members use the console, and as whom: table, fold, queries. Part of the family that
//! is folded at once, beside the memberships: who leaves such a group is out of the console with
//! the answer to the request that took them out, in every process.

use crate::bad::Bad;
use crate::cells::words;
use crate::columns::{Columns, Stored, columns, read_all, read_first};
use crate::page::Page;
use crate::table::{Statement, Table};
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::{Position, Record};
use rollcall_domain::organization::{GroupRole, OrganizationEvent};
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction, SqlValue};
use std::collections::BTreeMap;
use std::sync::Arc;

words!(GroupRole: as_str);

columns! {
    #[derive(Clone, Debug)]
    struct Row {
        organization: OrganizationId,
        group_id: ResourceId,
        role: GroupRole,
        seq: Position,
        set: DateTime<Utc> = "set_at",
    }

    /// One row for each group; `seq` is the position of the event that let its members in.
    pub table CONSOLE_GROUPS = "console_groups" {
        key: ["organization", "group_id"],
        indexes: [],
        order: "seq",
    }
}

columns! {
    /// A group whose members use the console.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ConsoleGroupRow {
        /// The group.
        pub group: ResourceId = "c.group_id",
        /// As whom its members use the console.
        pub role: GroupRole = "c.role",
        /// When they were let in.
        pub set: DateTime<Utc> = "c.set_at",
        /// What it is called; none if it is gone.
        pub display: Option<String> = "g.display",
        /// How many users it lets in at most: users who are its own members; not those of groups within it.
        pub people: u64 = "(SELECT count(*) FROM directory_members m \
            JOIN directory_users u ON u.organization = m.organization AND u.id = m.member_id \
            WHERE m.organization = c.organization AND m.group_id = c.group_id)",
    }
}

/// What a page does to such groups.
#[derive(Debug)]
pub(crate) struct ConsoleGroups {
    organization: OrganizationId,
    rows: BTreeMap<ResourceId, Option<Row>>,
}

impl View for ConsoleGroups {
    const NAME: &'static str = "console-groups";
    const REVISION: u32 = 1;
    const TABLES: &'static [&'static Table] = &[&CONSOLE_GROUPS];

    async fn fetch(_: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        Ok(Self { organization: page.organization, rows: BTreeMap::new() })
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        match event {
            DomainEvent::Organization(OrganizationEvent::ConsoleGroupSet { group, role }) => {
                let row = Row {
                    organization: self.organization,
                    group_id: *group,
                    role: *role,
                    seq: record.position,
                    set: record.recorded_at,
                };
                self.rows.insert(*group, Some(row));
            }
            DomainEvent::Organization(OrganizationEvent::ConsoleGroupRemoved { group }) => {
                self.rows.insert(*group, None);
            }
            _ => {}
        }
        Ok(())
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        let gone = self.rows.iter().filter(|(_, row)| row.is_none());
        let gone: Vec<SqlValue> = gone.map(|(id, _)| id.to_string().into()).collect();
        CONSOLE_GROUPS.delete(self.organization, "group_id", &gone, out);
        Row::upsert(self.rows.into_values().flatten().collect(), out)
    }
}

/// Reads such groups.
#[derive(Clone)]
pub struct ConsoleGroupView {
    views: Arc<dyn SqlStore>,
}

impl ConsoleGroupView {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// All groups of an organization that open the console, in the order in which they were named.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn list(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<ConsoleGroupRow>, SqlError> {
        let sql = format!(
            "SELECT {} FROM console_groups c LEFT JOIN directory_groups g \
             ON g.organization = c.organization AND g.id = c.group_id \
             WHERE c.organization = $1 ORDER BY c.seq",
            ConsoleGroupRow::list()
        );
        read_all(self.views.query(&sql, vec![organization.into()]).await?)
    }

    /// As whom a user uses the console by the groups that they are in themselves; an admin, if in
    /// groups of both. Whether they are active is not asked here.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn role_of(
        &self,
        organization: OrganizationId,
        user: ResourceId,
    ) -> Result<Option<GroupRole>, SqlError> {
        // "admin" comes before "auditor".
        let sql = format!(
            "SELECT {} FROM console_groups c JOIN directory_members m \
             ON m.organization = c.organization AND m.group_id = c.group_id \
             WHERE c.organization = $1 AND m.member_id = $2 ORDER BY c.role LIMIT 1",
            Held::list()
        );
        let key: Vec<SqlValue> = vec![organization.into(), user.to_string().into()];
        Ok(read_first::<Held>(self.views.query(&sql, key).await?)?.map(|held| held.role))
    }
}

columns! {
    struct Held { role: GroupRole = "c.role" }
}
