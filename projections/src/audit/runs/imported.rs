//! What was imported of Entra's own log: table, fold, queries.

use crate::bad::Bad;
use crate::cells::structures;
use crate::columns::{Columns, Stored, columns, read_all, read_first};
use crate::page::Page;
use crate::table::{Statement, Table};
use crate::text::micros;
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::Record;
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::provisioning_log::{ImportedChange, ImportedCycle};
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore, SqlTransaction};
use std::collections::{BTreeMap, BTreeSet};

structures!(ImportedChange);

columns! {
    struct ChangeRow {
        organization: OrganizationId,
        cycle: String,
        change: String,
        at: DateTime<Utc>,
        target: Option<String>,
        said: ImportedChange,
    }

    /// One row for each change of each imported cycle. `said` is the change as the event has it.
    pub table IMPORTED_CHANGES = "imported_changes" {
        key: ["organization", "cycle", "change"],
        indexes: [["organization", "at"]],
        order: "at",
    }
}

/// The changes that a page of records imports or takes back. What is imported again takes the
/// place of the former.
#[derive(Debug)]
pub(crate) struct Imports {
    organization: OrganizationId,
    changes: BTreeMap<(String, String), ImportedChange>,
    forgotten: BTreeSet<String>,
}

impl View for Imports {
    const NAME: &'static str = "imported-changes";
    const REVISION: u32 = 1;
    const TABLES: &'static [&'static Table] = &[&IMPORTED_CHANGES];

    async fn fetch(_: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        Ok(Self {
            organization: page.organization,
            changes: BTreeMap::new(),
            forgotten: BTreeSet::new(),
        })
    }

    fn record(&mut self, _: &Record, event: &DomainEvent) -> Result<(), Bad> {
        match event {
            DomainEvent::Organization(OrganizationEvent::ProvisioningLogImported { cycles }) => {
                for ImportedCycle { cycle, changes, .. } in cycles {
                    let change = |said: &ImportedChange| {
                        ((cycle.clone(), said.change.clone()), said.clone())
                    };
                    self.changes.extend(changes.iter().map(change));
                }
            }
            DomainEvent::Organization(OrganizationEvent::ProvisioningLogForgotten { cycles }) => {
                self.changes.retain(|(cycle, _), _| !cycles.contains(cycle));
                self.forgotten.extend(cycles.iter().cloned());
            }
            _ => {}
        }
        Ok(())
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        let organization = self.organization;
        for cycle in self.forgotten {
            let sql = "DELETE FROM imported_changes WHERE organization = $1 AND cycle = $2";
            out.push((sql.to_owned(), vec![organization.into(), cycle.into()]));
        }
        let rows = self.changes.into_iter().map(|((cycle, change), said)| {
            let (at, target) = (said.at, said.target.clone());
            ChangeRow { organization, cycle, change, at, target, said }
        });
        ChangeRow::upsert(rows.collect(), out)
    }
}

columns! {
    struct SaidOfCycle { cycle: String, said: ImportedChange }
}

columns! {
    struct Ends { ends: Option<(DateTime<Utc>, DateTime<Utc>)> = ("MIN(at)", "MAX(at)") }
}

/// Cycles with their changes in order.
pub(super) type Cycles = BTreeMap<String, Vec<ImportedChange>>;

/// Whether anything was imported.
pub(super) async fn any(
    views: &dyn SqlStore,
    organization: OrganizationId,
) -> Result<bool, SqlError> {
    let sql = "SELECT at FROM imported_changes WHERE organization = $1 LIMIT 1";
    Ok(!views.query(sql, vec![organization.into()]).await?.is_empty())
}

/// The ids of all imported cycles.
pub(super) async fn ids(
    views: &dyn SqlStore,
    organization: OrganizationId,
) -> Result<Vec<String>, SqlError> {
    let rows = views
        .query(
            "SELECT DISTINCT cycle FROM imported_changes WHERE organization = $1",
            vec![organization.into()],
        )
        .await?;
    read_all(rows)
}

/// The whole of each cycle that has a change between two instants.
pub(super) async fn between(
    views: &dyn SqlStore,
    organization: OrganizationId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Cycles, SqlError> {
    let sql = format!(
        "SELECT {} FROM imported_changes WHERE organization = $1 AND cycle IN \
         (SELECT cycle FROM imported_changes WHERE organization = $1 AND at >= $2 AND at <= $3) ORDER BY at",
        SaidOfCycle::list()
    );
    cycles(
        views
            .query(&sql, vec![organization.into(), micros(from).into(), micros(to).into()])
            .await?,
    )
}

/// One cycle.
pub(super) async fn cycle(
    views: &dyn SqlStore,
    organization: OrganizationId,
    cycle: &str,
) -> Result<Cycles, SqlError> {
    let sql = format!(
        "SELECT {} FROM imported_changes WHERE organization = $1 AND cycle = $2 ORDER BY at",
        SaidOfCycle::list()
    );
    cycles(views.query(&sql, vec![organization.into(), cycle.into()]).await?)
}

fn cycles(rows: Vec<SqlRow>) -> Result<Cycles, SqlError> {
    let mut cycles = Cycles::new();
    for SaidOfCycle { cycle, said } in read_all(rows)? {
        cycles.entry(cycle).or_default().push(said);
    }
    // Order by time is the database's; ties are put into one order here.
    cycles.values_mut().for_each(|changes| changes.sort());
    Ok(cycles)
}

/// From the first to the last instant of everything imported.
pub(super) async fn span(
    views: &dyn SqlStore,
    organization: OrganizationId,
) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>, SqlError> {
    let sql = format!("SELECT {} FROM imported_changes WHERE organization = $1", Ends::list());
    let rows = views.query(&sql, vec![organization.into()]).await?;
    Ok(read_first::<Ends>(rows)?.and_then(|Ends { ends }| ends))
}
