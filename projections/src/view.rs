//! A view: what it keeps, and how a page of the log changes that. A family is a list of views.

use crate::bad::Bad;
use crate::page::Page;
use crate::table::{Statement, Table};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::log::{Record, RecordedExchange};
use rollcall_domain::sql::{SqlError, SqlTransaction};
use std::pin::Pin;

/// The working set of one page: everything that a view changes by it. It sees the records in order,
/// then the exchanges in order.
pub(crate) trait View: Sized + Send + 'static {
    /// Its stable name; its golden file is called `NAME-REVISION`.
    const NAME: &'static str;

    /// Raise this when the fold gives other rows than before from the same log, or when the golden
    /// file of its definition would change. The tables of its family are then made anew.
    const REVISION: u32;

    /// Its tables; no other view writes to them.
    const TABLES: &'static [&'static Table];

    /// Reads what it needs of the rows that are there: one query for each kind.
    fn fetch(
        tx: &mut dyn SqlTransaction,
        page: &Page<'_>,
    ) -> impl Future<Output = Result<Self, SqlError>> + Send;

    /// Folds the next record.
    fn record(&mut self, _record: &Record, _event: &DomainEvent) -> Result<(), Bad> {
        Ok(())
    }

    /// Folds the next exchange.
    fn exchange(&mut self, _recorded: &RecordedExchange) -> Result<(), Bad> {
        Ok(())
    }

    /// The statements that bring the tables to what the page leaves.
    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad>;
}

/// A [`View`] of whichever type.
pub(crate) trait AnyView: Send {
    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad>;
    fn exchange(&mut self, recorded: &RecordedExchange) -> Result<(), Bad>;
    fn flush(self: Box<Self>, out: &mut Vec<Statement>) -> Result<(), Bad>;
}

impl<V: View> AnyView for V {
    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        View::record(self, record, event)
    }

    fn exchange(&mut self, recorded: &RecordedExchange) -> Result<(), Bad> {
        View::exchange(self, recorded)
    }

    fn flush(self: Box<Self>, out: &mut Vec<Statement>) -> Result<(), Bad> {
        View::flush(*self, out)
    }
}

type Fetched<'a> = Pin<Box<dyn Future<Output = Result<Box<dyn AnyView>, SqlError>> + Send + 'a>>;

fn fetch<'a, V: View>(tx: &'a mut dyn SqlTransaction, page: &'a Page<'a>) -> Fetched<'a> {
    Box::pin(async move { Ok(Box::new(V::fetch(tx, page).await?) as Box<dyn AnyView>) })
}

/// A view as its family lists it.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Its stable name.
    pub name: &'static str,
    /// Which edition of its tables and its fold this is, counted from 1.
    pub revision: u32,
    /// Its tables.
    pub tables: &'static [&'static Table],
    pub(crate) fetch: for<'a> fn(&'a mut dyn SqlTransaction, &'a Page<'a>) -> Fetched<'a>,
}

impl Definition {
    /// That of a view.
    pub(crate) const fn of<V: View>() -> Self {
        Self { name: V::NAME, revision: V::REVISION, tables: V::TABLES, fetch: fetch::<V> }
    }
}
