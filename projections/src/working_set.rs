//! What a page changes, in all views of a family at once.

use crate::bad::Bad;
use crate::page::Page;
use crate::table::Statement;
use crate::view::{AnyView, Definition};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::log::{Record, RecordedExchange};
use rollcall_domain::sql::{SqlError, SqlTransaction};

/// The working sets of views.
pub(crate) struct WorkingSet(Vec<Box<dyn AnyView>>);

impl WorkingSet {
    /// Reads the rows that a page changes.
    pub async fn fetch(
        views: &[Definition],
        tx: &mut dyn SqlTransaction,
        page: Page<'_>,
    ) -> Result<Self, SqlError> {
        let mut all = Vec::with_capacity(views.len());
        for view in views {
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
