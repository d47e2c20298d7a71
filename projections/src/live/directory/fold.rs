//! What a page of records does to users, groups and members.

use super::groups::Groups;
use super::members::Members;
use super::users::Users;
use super::{EMAILS, GROUPS, MEMBERS, USERS};
use crate::bad::Bad;
use crate::page::Page;
use crate::table::{Statement, Table};
use crate::view::View;
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, Record};
use rollcall_domain::sql::{SqlError, SqlTransaction};

/// The rows that a page of records touches.
#[derive(Debug)]
pub(crate) struct DirectoryRows {
    organization: OrganizationId,
    users: Users,
    groups: Groups,
    members: Members,
}

impl View for DirectoryRows {
    const NAME: &'static str = "directory";
    const REVISION: u32 = 1;
    const TABLES: &'static [&'static Table] = &[&USERS, &EMAILS, &GROUPS, &MEMBERS];

    async fn fetch(tx: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        let organization = page.organization;
        let users = Users::fetch(tx, organization, page.of(AggregateKind::User)).await?;
        let groups = Groups::fetch(tx, organization, page.of(AggregateKind::Group)).await?;
        Ok(Self { organization, users, groups, members: Members::default() })
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        match event {
            DomainEvent::User(event) => {
                if self.users.apply(record, event)? {
                    self.members.member_gone(record.stream.id);
                }
                Ok(())
            }
            DomainEvent::Group(event) => self.groups.apply(record, event, &mut self.members),
            DomainEvent::Organization(_)
            | DomainEvent::Deployment(_)
            | DomainEvent::Consumer(_)
            | DomainEvent::Lost(_) => Ok(()),
        }
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        self.members.flush(self.organization, out)?;
        self.users.flush(self.organization, out)?;
        self.groups.flush(self.organization, out)
    }
}
