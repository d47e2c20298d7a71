//! One page of records and exchanges, folded in memory over the rows it touches.

use crate::directory::{Groups, Members, Users};
use crate::exchanges;
use crate::organizations::Settings;
use crate::table::Statement;
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, Record, RecordedExchange};
use rollcall_domain::sql::{SqlError, SqlTransaction, SqlValue};

/// Why an event cannot be folded. Never holds a payload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bad(pub String);

impl Bad {
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// The working set of one page.
#[derive(Debug)]
pub(crate) struct Rows {
    organization: OrganizationId,
    users: Users,
    groups: Groups,
    members: Members,
    settings: Settings,
    exchanges: Vec<Vec<SqlValue>>,
}

impl Rows {
    /// Reads the rows that the records change: one query for each kind.
    pub async fn fetch(tx: &mut dyn SqlTransaction, organization: OrganizationId, records: &[Record]) -> Result<Self, SqlError> {
        let of = |kind| records.iter().filter(move |r: &&Record| r.stream.kind == kind);
        Ok(Self {
            organization,
            users: Users::fetch(tx, organization, of(AggregateKind::User)).await?,
            groups: Groups::fetch(tx, organization, of(AggregateKind::Group)).await?,
            members: Members::default(),
            settings: Settings::fetch(tx, organization, records).await?,
            exchanges: Vec::new(),
        })
    }

    /// Folds the next record.
    pub fn record(&mut self, record: &Record) -> Result<(), Bad> {
        match DomainEvent::decode(record).map_err(|e| Bad(e.to_string()))? {
            DomainEvent::User(event) => {
                if self.users.apply(record, event)? {
                    self.members.member_gone(record.stream.id);
                }
            }
            DomainEvent::Group(event) => self.groups.apply(record, event, &mut self.members)?,
            DomainEvent::Organization(event) => self.settings.apply(record, event)?,
        }
        Ok(())
    }

    /// Folds the next exchange.
    pub fn exchange(&mut self, recorded: RecordedExchange) -> Result<(), Bad> {
        self.settings.exchange(&recorded);
        let values = exchanges::values(self.organization, recorded).map_err(|_| Bad::new("the interpretations cannot be written"))?;
        self.exchanges.push(values);
        Ok(())
    }

    /// The statements that bring the tables to what the page leaves.
    pub fn flush(self) -> Result<Vec<Statement>, Bad> {
        let mut out = Vec::new();
        self.members.flush(self.organization, &mut out);
        self.users.flush(self.organization, &mut out)?;
        self.groups.flush(self.organization, &mut out)?;
        exchanges::EXCHANGES.upsert(self.exchanges, &mut out);
        self.settings.flush(self.organization, &mut out);
        Ok(out)
    }
}
