//! One page of records and exchanges, folded in memory over the rows it touches.

use crate::schema::views;
use crate::table::Statement;
use crate::view::AnyView;
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, Record, RecordedExchange};
use rollcall_domain::sql::{Family, SqlError, SqlTransaction};

/// Why an event cannot be folded. Never holds a payload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bad(pub String);

impl Bad {
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// What is to be folded in one transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    /// Whose log it is.
    pub organization: OrganizationId,
    /// Records, in order.
    pub records: &'a [Record],
    /// Exchanges, in order; all that they caused is in `records` or before.
    pub exchanges: &'a [RecordedExchange],
}

impl<'a> Page<'a> {
    /// The records of one kind of aggregate.
    pub fn of(self, kind: AggregateKind) -> impl Iterator<Item = &'a Record> {
        self.records.iter().filter(move |record| record.stream.kind == kind)
    }
}

/// The working sets of all views of a family.
pub(crate) struct WorkingSet(Vec<Box<dyn AnyView>>);

impl WorkingSet {
    /// Reads the rows that a page changes.
    pub async fn fetch(family: Family, tx: &mut dyn SqlTransaction, page: Page<'_>) -> Result<Self, SqlError> {
        let mut all = Vec::with_capacity(views(family).len());
        for view in views(family) {
            all.push((view.fetch)(&mut *tx, &page).await?);
        }
        Ok(Self(all))
    }

    /// Folds the next record of any kind.
    pub fn record(&mut self, record: &Record) -> Result<(), Bad> {
        let event = DomainEvent::decode(record).map_err(|e| Bad(e.to_string()))?;
        self.0.iter_mut().try_for_each(|view| view.record(record, &event))
    }

    /// Folds the next exchange.
    pub fn exchange(&mut self, recorded: &RecordedExchange) -> Result<(), Bad> {
        self.0.iter_mut().try_for_each(|view| view.exchange(recorded))
    }

    /// The statements that bring the tables to what the page leaves.
    pub fn flush(self) -> Result<Vec<Statement>, Bad> {
        let mut out = Vec::new();
        for view in self.0 {
            view.flush(&mut out)?;
        }
        Ok(out)
    }
}
