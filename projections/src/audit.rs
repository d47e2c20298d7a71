//! The family that answers auditors. It is folded in the background, and caught up by whoever
//! asks ([`crate::fold::Folder::fold`] first, then the query), so that no SCIM request pays for it.

use crate::events::{EVENTS, Events};
use crate::failures::{FAILURES, Failures};
use crate::history::{MEMBERSHIPS, Memberships, RESOURCES, Resources};
use crate::page::{Bad, Rows};
use crate::runs::{IMPORTED_CHANGES, RUN_EXCHANGES, RUN_INFERENCE, RUNS, RunRows};
use crate::table::{Statement, Table};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Record, RecordedExchange};
use rollcall_domain::sql::{SqlError, SqlTransaction};

/// Raise this when a fold of this family gives other rows than before from the same records.
pub(crate) const FOLD_VERSION: &str = "5";

/// The tables of this family.
pub(crate) const TABLES: &[&Table] =
    &[&EVENTS, &RESOURCES, &MEMBERSHIPS, &RUNS, &RUN_EXCHANGES, &RUN_INFERENCE, &FAILURES, &IMPORTED_CHANGES];

/// The working set of one page.
#[derive(Debug)]
pub(crate) struct AuditRows {
    organization: OrganizationId,
    events: Events,
    resources: Resources,
    memberships: Memberships,
    runs: RunRows,
    failures: Failures,
}

impl AuditRows {
    /// Reads what the views need of the rows that are there.
    pub async fn fetch(
        tx: &mut dyn SqlTransaction,
        organization: OrganizationId,
        records: &[Record],
        exchanges: &[RecordedExchange],
    ) -> Result<Self, SqlError> {
        Ok(Self {
            organization,
            events: Events::fetch(tx, organization).await?,
            resources: Resources::fetch(tx, organization, records).await?,
            memberships: Memberships::new(organization),
            runs: RunRows::fetch(tx, organization).await?,
            failures: Failures::fetch(tx, organization, exchanges).await?,
        })
    }
}

impl Rows for AuditRows {
    fn record(&mut self, record: &Record, event: DomainEvent) -> Result<(), Bad> {
        self.runs.record(&event);
        self.events.apply(self.organization, record);
        let gone = self.resources.apply(record, &event)?;
        self.memberships.apply(record, &event)?;
        if gone {
            self.memberships.member_gone(record.stream.id, record.position);
        }
        Ok(())
    }

    fn exchange(&mut self, recorded: RecordedExchange) -> Result<(), Bad> {
        self.runs.exchange(&recorded);
        self.failures.apply(&recorded);
        Ok(())
    }

    fn flush(self: Box<Self>) -> Result<Vec<Statement>, Bad> {
        let mut out = Vec::new();
        self.events.flush(&mut out);
        self.resources.flush(&mut out)?;
        self.memberships.flush(&mut out);
        self.runs.flush(&mut out)?;
        self.failures.flush(self.organization, &mut out);
        Ok(out)
    }
}
