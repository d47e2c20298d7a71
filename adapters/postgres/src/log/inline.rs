//! Folding the live views in the transaction of an append, before it is committed.

use super::codec::{self, RECORD, int};
use crate::views::InlineTransaction;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{CATCH_UP, Inline, InlineFold, Position, Record, stretches};
use rollcall_domain::sql::{SqlError, SqlRow};
use sqlx::postgres::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Folds what can be folded of a plan that is written, on top of where the views stand that may be
/// written. Gives the organizations whose views hold it.
///
/// # Errors
/// If a statement fails: then the transaction is spoilt, and the append is to be made without.
pub(super) async fn fold(
    connection: &mut PgConnection,
    with: &dyn InlineFold,
    mut standing: BTreeMap<OrganizationId, Vec<SqlRow>>,
    records: &mut [Record],
) -> Result<BTreeSet<OrganizationId>, SqlError> {
    let mut folded = BTreeSet::new();
    for records in stretches(records) {
        let Some(organization) = records.first().map(|r| r.stream.organization) else { continue };
        if let Some(standing) = standing.remove(&organization)
            && stretch(connection, with, standing, organization, records).await?
        {
            folded.insert(organization);
            count("folded");
        } else {
            count("left");
        }
    }
    Ok(folded)
}

/// Folds the records of one organization. False if nothing was written.
async fn stretch(
    connection: &mut PgConnection,
    with: &dyn InlineFold,
    standing: Vec<SqlRow>,
    organization: OrganizationId,
    records: &[Record],
) -> Result<bool, SqlError> {
    let Some(first) = records.first() else { return Ok(false) };
    let mut tx = InlineTransaction(&mut *connection);
    let behind = match with.fold(&mut tx, standing.clone(), organization, records).await? {
        Inline::Folded => return Ok(true),
        // An earlier append had to leave them behind.
        Inline::Behind(at) if (1..=CATCH_UP).contains(&missing(first, at)) => at,
        Inline::Behind(_) | Inline::Left => return Ok(false),
    };
    let mut all = between(connection, organization, behind, first.position).await?;
    all.extend_from_slice(records);
    let mut tx = InlineTransaction(connection);
    Ok(with.fold(&mut tx, standing, organization, &all).await? == Inline::Folded)
}

/// The records between two positions.
async fn between(
    connection: &mut PgConnection,
    organization: OrganizationId,
    after: Position,
    before: Position,
) -> Result<Vec<Record>, SqlError> {
    let sql = format!(
        "SELECT {RECORD} FROM rollcall.events WHERE organization = $1 AND position > $2 AND position < $3 ORDER BY position"
    );
    let query = sqlx::query(&sql).bind(organization.0).bind(int(after)).bind(int(before));
    let unreadable = |e: sqlx::Error| SqlError::Unavailable(e.to_string());
    let rows = query.fetch_all(connection).await.map_err(unreadable)?;
    rows.iter().map(codec::record).collect::<sqlx::Result<_>>().map_err(unreadable)
}

/// Says that an append is made without, because of a failure.
pub(super) fn failed(error: &SqlError) {
    // The folder meets it again, and tells whoever waits. The text may hold values.
    tracing::warn!(kind = error.kind(), "the views could not be folded with an append");
    count("failed");
}

/// How many records there are between where the views stand and one of them; a lot if they know
/// more than the log.
fn missing(first: &Record, at: Position) -> u64 {
    (first.position - 1).checked_sub(at).unwrap_or(u64::MAX)
}

fn count(outcome: &'static str) {
    metrics::counter!("rollcall_inline_folds_total", "outcome" => outcome).increment(1);
}
