//! The family that answers auditors. It is folded in the background, and caught up by whoever
//! asks ([`crate::fold::Folder::fold`] first, then the query), so that no SCIM request pays for it.

use crate::events::{EVENTS, Events};
use crate::page::{Bad, Rows};
use crate::runs::{RUN_EXCHANGES, RUN_INFERENCE, RUNS, RunRows};
use crate::table::{Statement, Table};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Record, RecordedExchange};
use rollcall_domain::sql::{SqlError, SqlTransaction};

/// Raise this when a fold of this family gives other rows than before from the same records.
pub(crate) const FOLD_VERSION: &str = "1";

/// The tables of this family.
pub(crate) const TABLES: &[&Table] = &[&EVENTS, &RUNS, &RUN_EXCHANGES, &RUN_INFERENCE];

/// The working set of one page.
#[derive(Debug)]
pub(crate) struct AuditRows {
    organization: OrganizationId,
    events: Events,
    runs: RunRows,
}

impl AuditRows {
    /// Reads what the views need of the rows that are there.
    pub async fn fetch(tx: &mut dyn SqlTransaction, organization: OrganizationId) -> Result<Self, SqlError> {
        Ok(Self { organization, events: Events::fetch(tx, organization).await?, runs: RunRows::fetch(tx, organization).await? })
    }
}

impl Rows for AuditRows {
    fn record(&mut self, record: &Record, _: DomainEvent) -> Result<(), Bad> {
        self.events.apply(self.organization, record);
        Ok(())
    }

    fn exchange(&mut self, recorded: RecordedExchange) -> Result<(), Bad> {
        self.runs.exchange(&recorded);
        Ok(())
    }

    fn flush(self: Box<Self>) -> Result<Vec<Statement>, Bad> {
        let mut out = Vec::new();
        self.events.flush(&mut out);
        self.runs.flush(&mut out)?;
        Ok(out)
    }
}
