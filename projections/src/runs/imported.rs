//! What was imported of Entra's own log: table, fold, queries.

use crate::table::{Statement, Table, int, optional_text, text};
use crate::text::{instant, micros};
use chrono::{DateTime, Utc};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::provisioning_log::{ImportedChange, ImportedCycle};
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore};
use std::collections::BTreeMap;

/// One row for each change of each imported cycle. `said` is the change as the event has it.
pub const IMPORTED_CHANGES: Table = Table {
    name: "imported_changes",
    columns: &[text("organization"), text("cycle"), text("change"), int("at"), optional_text("target"), text("said")],
    key: &["organization", "cycle", "change"],
    indexes: &[&["organization", "at"]],
    order: "at",
};

/// The changes that a page of records imports. What is imported again takes the place of the former.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    changes: BTreeMap<(String, String), ImportedChange>,
}

impl Imports {
    /// Folds one event.
    pub fn apply(&mut self, event: &OrganizationEvent) {
        let OrganizationEvent::ProvisioningLogImported { cycles } = event else { return };
        for ImportedCycle { cycle, changes, .. } in cycles {
            self.changes.extend(changes.iter().map(|change| ((cycle.clone(), change.change.clone()), change.clone())));
        }
    }

    /// The statements.
    pub fn flush(self, organization: OrganizationId, out: &mut Vec<Statement>) -> Result<(), serde_json::Error> {
        let mut rows = Vec::with_capacity(self.changes.len());
        for ((cycle, change), said) in self.changes {
            let json = serde_json::to_string(&said)?;
            rows.push(vec![organization.into(), cycle.into(), change.into(), micros(said.at).into(), said.target.into(), json.into()]);
        }
        IMPORTED_CHANGES.upsert(rows, out);
        Ok(())
    }
}

/// Cycles with their changes in order.
pub(super) type Cycles = BTreeMap<String, Vec<ImportedChange>>;

/// Whether anything was imported.
pub(super) async fn any(views: &dyn SqlStore, organization: OrganizationId) -> Result<bool, SqlError> {
    let sql = "SELECT at FROM imported_changes WHERE organization = $1 LIMIT 1";
    Ok(!views.query(sql, vec![organization.into()]).await?.is_empty())
}

/// The ids of all imported cycles.
pub(super) async fn ids(views: &dyn SqlStore, organization: OrganizationId) -> Result<Vec<String>, SqlError> {
    let rows = views.query("SELECT DISTINCT cycle FROM imported_changes WHERE organization = $1", vec![organization.into()]).await?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// The whole of each cycle that has a change between two instants.
pub(super) async fn between(
    views: &dyn SqlStore,
    organization: OrganizationId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Cycles, SqlError> {
    let sql = "SELECT cycle, said FROM imported_changes WHERE organization = $1 AND cycle IN \
               (SELECT cycle FROM imported_changes WHERE organization = $1 AND at >= $2 AND at <= $3) ORDER BY at";
    cycles(&views.query(sql, vec![organization.into(), micros(from).into(), micros(to).into()]).await?)
}

/// One cycle.
pub(super) async fn cycle(views: &dyn SqlStore, organization: OrganizationId, cycle: &str) -> Result<Cycles, SqlError> {
    let sql = "SELECT cycle, said FROM imported_changes WHERE organization = $1 AND cycle = $2 ORDER BY at";
    cycles(&views.query(sql, vec![organization.into(), cycle.into()]).await?)
}

fn cycles(rows: &[SqlRow]) -> Result<Cycles, SqlError> {
    let mut cycles = Cycles::new();
    for row in rows {
        let said = serde_json::from_str(row.text(1)?).map_err(|e| SqlError::Shape(format!("imported_changes: {e}")))?;
        cycles.entry(row.text(0)?.to_owned()).or_default().push(said);
    }
    // Order by time is the database's; ties are put into one order here.
    cycles.values_mut().for_each(|changes| changes.sort());
    Ok(cycles)
}

/// From the first to the last instant of everything imported.
pub(super) async fn span(views: &dyn SqlStore, organization: OrganizationId) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>, SqlError> {
    let rows = views.query("SELECT MIN(at), MAX(at) FROM imported_changes WHERE organization = $1", vec![organization.into()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    match (row.optional_int(0)?, row.optional_int(1)?) {
        (Some(first), Some(last)) => Ok(Some((instant(first)?, instant(last)?))),
        _ => Ok(None),
    }
}
