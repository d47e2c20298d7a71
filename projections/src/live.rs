//! The family that is folded before an answer leaves. Every view here is paid for by each write:
//! what SCIM and sign-ins do not read belongs into [`crate::audit`].

use crate::auditors::{AUDITORS, Keys};
use crate::directory::{EMAILS, GROUPS, Groups, MEMBERS, Members, USERS, Users};
use crate::exchanges::{self, EXCHANGES};
use crate::logins::{LOGINS, Logins};
use crate::organizations::{ORGANIZATIONS, Settings, TOKENS};
use crate::page::{Bad, Rows};
use crate::saml::{Connections, SAML_CERTIFICATES, SAML_CONNECTIONS};
use crate::sessions::{SESSIONS, Sessions};
use crate::table::{Statement, Table};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::{AggregateKind, Record, RecordedExchange};
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::sql::{SqlError, SqlTransaction, SqlValue};
use rollcall_domain::user::UserEvent;

/// Raise this when a fold of this family gives other rows than before from the same records.
pub(crate) const FOLD_VERSION: &str = "4";

/// The tables of this family.
pub(crate) const TABLES: &[&Table] = &[
    &USERS,
    &EMAILS,
    &GROUPS,
    &MEMBERS,
    &ORGANIZATIONS,
    &TOKENS,
    &AUDITORS,
    &EXCHANGES,
    &SAML_CONNECTIONS,
    &SAML_CERTIFICATES,
    &LOGINS,
    &SESSIONS,
];

/// The working set of one page.
#[derive(Debug)]
pub(crate) struct LiveRows {
    organization: OrganizationId,
    users: Users,
    groups: Groups,
    members: Members,
    settings: Settings,
    connections: Connections,
    logins: Logins,
    sessions: Sessions,
    auditors: Keys,
    exchanges: Vec<Vec<SqlValue>>,
}

impl LiveRows {
    /// Reads the rows that the records change: one query for each kind.
    pub async fn fetch(tx: &mut dyn SqlTransaction, organization: OrganizationId, records: &[Record]) -> Result<Self, SqlError> {
        let of = |kind| records.iter().filter(move |r: &&Record| r.stream.kind == kind);
        Ok(Self {
            organization,
            users: Users::fetch(tx, organization, of(AggregateKind::User)).await?,
            groups: Groups::fetch(tx, organization, of(AggregateKind::Group)).await?,
            members: Members::default(),
            settings: Settings::fetch(tx, organization, records).await?,
            connections: Connections::fetch(tx, organization, records).await?,
            logins: Logins::default(),
            sessions: Sessions::fetch(tx, organization, records).await?,
            auditors: Keys::default(),
            exchanges: Vec::new(),
        })
    }
}

impl Rows for LiveRows {
    fn record(&mut self, record: &Record, event: DomainEvent) -> Result<(), Bad> {
        match event {
            DomainEvent::User(event) => {
                self.sessions.apply(record, &event);
                match &event {
                    UserEvent::SignedIn(signed_in) => self.logins.accepted(record, signed_in),
                    UserEvent::LoginRefused(refused) => self.logins.refused(record, Some(ResourceId(record.stream.id)), refused),
                    _ => {}
                }
                if self.users.apply(record, event)? {
                    self.members.member_gone(record.stream.id);
                }
            }
            DomainEvent::Group(event) => self.groups.apply(record, event, &mut self.members)?,
            DomainEvent::Organization(event) => {
                self.connections.apply(record, &event)?;
                if let OrganizationEvent::LoginRefused(refused) = &event {
                    self.logins.refused(record, None, refused);
                }
                self.auditors.apply(record, &event);
                self.settings.apply(record, event)?;
            }
        }
        Ok(())
    }

    fn exchange(&mut self, recorded: RecordedExchange) -> Result<(), Bad> {
        self.settings.exchange(&recorded);
        self.auditors.exchange(&recorded);
        let values = exchanges::values(self.organization, recorded).map_err(|_| Bad::new("the interpretations cannot be written"))?;
        self.exchanges.push(values);
        Ok(())
    }

    fn flush(self: Box<Self>) -> Result<Vec<Statement>, Bad> {
        let mut out = Vec::new();
        self.members.flush(self.organization, &mut out);
        self.users.flush(self.organization, &mut out)?;
        self.groups.flush(self.organization, &mut out)?;
        EXCHANGES.upsert(self.exchanges, &mut out);
        self.settings.flush(self.organization, &mut out);
        self.connections.flush(self.organization, &mut out)?;
        self.logins.flush(&mut out);
        self.sessions.flush(&mut out);
        self.auditors.flush(self.organization, &mut out);
        Ok(out)
    }
}
