//! The directory as it was: every state of every resource, and every membership, with the
//! positions from and to which it held. What held at a position is then a query.
//!
//! Intervals are half-open: a row holds at `p` if `since <= p < until`. What still holds ends at
//! [`OPEN`].

mod access;
mod difference;
mod findings;
mod held;
mod memberships;
mod query;
mod resources;
mod spells;

pub use access::{Access, Period, ReviewedGroup};
pub use difference::{AttributeChange, Difference, Next, What};
pub use findings::{EmptyGroup, Leaver, PersonThen};
pub use held::HeldMembership;
pub use memberships::MEMBERSHIPS;
pub use query::{History, Membership, PastMember, Reviewed, Side, Turn};
pub use resources::RESOURCES;
pub use spells::Spell;

use crate::bad::Bad;
use crate::page::Page;
use crate::table::{Statement, Table};
use crate::view::View;
use memberships::Memberships;
use resources::Resources;
use rollcall_domain::event::DomainEvent;
use rollcall_domain::log::{Position, Record};
use rollcall_domain::sql::{SqlError, SqlTransaction};

/// The end of what has not ended.
pub(super) const OPEN: Position = i64::MAX.unsigned_abs();

/// Memberships of one event are numbered below its position, so that they have an order.
pub(super) const PLACES: u64 = 1 << 20;

/// What a page of records does to history.
#[derive(Debug)]
pub(crate) struct HistoryRows {
    resources: Resources,
    memberships: Memberships,
}

impl View for HistoryRows {
    const NAME: &'static str = "history";
    const REVISION: u32 = 1;
    const TABLES: &'static [&'static Table] = &[&RESOURCES, &MEMBERSHIPS];

    async fn fetch(tx: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        let resources = Resources::fetch(tx, page.organization, page.records).await?;
        Ok(Self { resources, memberships: Memberships::new(page.organization) })
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        let gone = self.resources.apply(record, event)?;
        self.memberships.apply(record, event)?;
        if gone {
            self.memberships.member_gone(record.stream.id, record.position);
        }
        Ok(())
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        self.resources.flush(out)?;
        self.memberships.flush(out)
    }
}
