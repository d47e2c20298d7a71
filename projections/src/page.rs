//! One page of records and exchanges, folded in memory over the rows it touches.

use crate::audit::AuditRows;
use crate::live::LiveRows;
use crate::table::Statement;
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Record, RecordedExchange};
use rollcall_domain::sql::{Family, SqlError, SqlTransaction};

/// Why an event cannot be folded. Never holds a payload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bad(pub String);

impl Bad {
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// The working set of one page of a family: everything its views change by it.
pub(crate) trait Rows: Send {
    /// Folds the next record.
    fn record(&mut self, record: &Record, event: DomainEvent) -> Result<(), Bad>;

    /// Folds the next exchange.
    fn exchange(&mut self, recorded: RecordedExchange) -> Result<(), Bad>;

    /// The statements that bring the tables to what the page leaves.
    fn flush(self: Box<Self>) -> Result<Vec<Statement>, Bad>;
}

/// Begins a page: reads the rows that the records and exchanges change.
pub(crate) async fn begin(
    family: Family,
    tx: &mut dyn SqlTransaction,
    organization: OrganizationId,
    records: &[Record],
    exchanges: &[RecordedExchange],
) -> Result<Box<dyn Rows>, SqlError> {
    Ok(match family {
        Family::Live => Box::new(LiveRows::fetch(tx, organization, records).await?),
        Family::Audit => Box::new(AuditRows::fetch(tx, organization, records, exchanges).await?),
    })
}

/// Folds the next record of any kind.
pub(crate) fn fold(rows: &mut dyn Rows, record: &Record) -> Result<(), Bad> {
    rows.record(record, DomainEvent::decode(record).map_err(|e| Bad(e.to_string()))?)
}
