//! Whose state tells when an open failure is over, beside the resource that it is about: whoever was
//! to be put into a group or out of it, and everything that a bulk request names.

use super::row::FailureRow;
use crate::bad::Bad;
use crate::columns::{Columns, Stored, columns, read_all};
use crate::table::{Statement, key_lists, numbered, with};
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::ExchangeNumber;
use rollcall_domain::sql::{SqlError, SqlTransaction, SqlValue};
use std::collections::BTreeSet;

columns! {
    /// That the state of a resource matters to an open failure.
    #[derive(Clone, Debug, PartialEq)]
    pub(super) struct StakeRow {
        organization: OrganizationId,
        resource: ResourceId,
        /// By the number of its first exchange.
        failure: ExchangeNumber,
    }

    /// One row for each resource of each open failure.
    pub(super) table STAKES = "failure_stakes" {
        key: ["organization", "resource", "failure"],
        indexes: [["organization", "failure"]],
        order: "failure",
    }
}

/// The open failures that have a stake in one of these resources.
pub(super) async fn fetch(
    tx: &mut dyn SqlTransaction,
    organization: OrganizationId,
    resources: &BTreeSet<ResourceId>,
) -> Result<Vec<FailureRow>, SqlError> {
    let ids: Vec<SqlValue> = resources.iter().map(|id| id.to_string().into()).collect();
    let mut numbers: BTreeSet<ExchangeNumber> = BTreeSet::new();
    for ids in key_lists(&ids) {
        let sql = format!(
            "SELECT {} FROM failure_stakes WHERE organization = $1 AND resource IN ({})",
            StakeRow::list(),
            numbered(2, ids.len())
        );
        let rows = read_all::<StakeRow>(tx.query(&sql, with(organization.into(), ids)).await?)?;
        numbers.extend(rows.into_iter().map(|row| row.failure));
    }
    let numbers: Vec<SqlValue> = numbers.into_iter().map(SqlValue::from).collect();
    let mut found = Vec::new();
    for numbers in key_lists(&numbers) {
        let sql = format!(
            "SELECT {} FROM failures WHERE organization = $1 AND open = 1 AND first_number IN ({})",
            FailureRow::list(),
            numbered(2, numbers.len())
        );
        found.extend(read_all::<FailureRow>(
            tx.query(&sql, with(organization.into(), numbers)).await?,
        )?);
    }
    Ok(found)
}

/// The statements that leave the stakes of these failures as they are: those of open ones.
pub(super) fn flush(
    organization: OrganizationId,
    rows: &[FailureRow],
    out: &mut Vec<Statement>,
) -> Result<(), Bad> {
    let numbers: Vec<SqlValue> = rows.iter().map(|row| row.first_number.into()).collect();
    STAKES.delete(organization, "failure", &numbers, out);
    let mut stakes = Vec::new();
    for row in rows.iter().filter(|row| row.open) {
        let failure = row.first_number;
        let others = row.stakes().into_iter().filter(|id| Some(*id) != row.subject);
        stakes.extend(others.map(|resource| StakeRow { organization, resource, failure }));
    }
    StakeRow::upsert(stakes, out)
}
