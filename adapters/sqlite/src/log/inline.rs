//! Committing a batch together with the views that are folded inline.
//!
//! Log and views are two files, and no commit of SQLite's covers two files whole when the power
//! goes. So they are two commits in an order that is safe: the log's is flushed before the views'
//! begins, and the answer leaves after both. Whatever is interrupted leaves views that are behind,
//! which a sweep finds, and never ahead.

use super::{codec, read};
use crate::views::{InlineTransaction, SqliteViews};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{
    CATCH_UP, Inline, InlineFold, LogError, Plan, Position, Record, stretches,
};
use rollcall_domain::sql::SqlError;
use rusqlite::{Connection, Transaction};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The views of a log that are folded inline, and how.
pub(super) struct InlineViews {
    pub views: SqliteViews,
    pub fold: Arc<dyn InlineFold>,
}

impl InlineViews {
    /// Commits a plan that is written, and the views if they can be folded. Gives the
    /// organizations whose views hold it.
    pub fn commit(
        &self,
        log: Transaction<'_>,
        plan: &mut Plan,
    ) -> rusqlite::Result<BTreeSet<OrganizationId>> {
        if plan.records.is_empty() {
            log.commit()?;
            return Ok(BTreeSet::new());
        }
        self.views.in_turn(|connection| {
            let (folded, views) = self.fold(&log, connection, plan);
            log.commit()?;
            Ok(match views.map(InlineTransaction::commit) {
                None | Some(Ok(())) => folded,
                Some(Err(error)) => {
                    failed(&error);
                    BTreeSet::new()
                }
            })
        })
    }

    /// Folds what can be folded, and gives the transaction it is in.
    fn fold<'a>(
        &self,
        log: &Connection,
        connection: Option<&'a mut Connection>,
        plan: &mut Plan,
    ) -> (BTreeSet<OrganizationId>, Option<InlineTransaction<'a>>) {
        let mut folded = BTreeSet::new();
        let Some(begun) = connection.map(InlineTransaction::begin) else {
            count("left");
            return (folded, None);
        };
        let done = begun.and_then(|mut views| {
            for records in stretches(&mut plan.records) {
                if self.stretch(log, &mut views, records)? {
                    folded.extend(records.first().map(|record| record.stream.organization));
                    count("folded");
                } else {
                    count("left");
                }
            }
            Ok(views)
        });
        match done {
            Ok(views) => (folded, Some(views)),
            Err(error) => {
                failed(&error);
                (BTreeSet::new(), None)
            }
        }
    }

    /// Folds the records of one organization. False if nothing was written.
    fn stretch(
        &self,
        log: &Connection,
        views: &mut InlineTransaction<'_>,
        records: &[Record],
    ) -> Result<bool, SqlError> {
        let Some(first) = records.first() else { return Ok(false) };
        let organization = first.stream.organization;
        let standing = self.fold.standing(organization);
        let mut fold = |records: &[Record]| {
            views.run(async |tx| {
                let standing = tx.query(&standing, Vec::new()).await?;
                self.fold.fold(tx, standing, organization, records).await
            })
        };
        let behind = match fold(records)? {
            Inline::Folded => return Ok(true),
            // An earlier append had to leave them behind.
            Inline::Behind(at) if (1..=CATCH_UP).contains(&missing(first, at)) => at,
            Inline::Behind(_) | Inline::Left => return Ok(false),
        };
        // The log's own connection reads what it is about to commit along with the rest.
        let limit = missing(first, behind) as usize + records.len();
        let all = read::records(log, organization, behind, limit)
            .map_err(|e| unreadable(codec::log_error(e)))?;
        Ok(fold(&all)? == Inline::Folded)
    }
}

fn unreadable(error: LogError) -> SqlError {
    SqlError::Unavailable(error.to_string())
}

fn failed(error: &SqlError) {
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
