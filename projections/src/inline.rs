//! Folding inside an append's transaction: what a log is given so that its views move with it.

use crate::bad::Bad;
use crate::checkpoint::{Checkpoint, Standing};
use crate::families::{schema_version, views};
use crate::page::Page;
use crate::table::Statement;
use crate::working_set::WorkingSet;
use async_trait::async_trait;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Inline, InlineFold, Record};
use rollcall_domain::sql::{Family, SqlError, SqlRow, SqlTransaction};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Folds records into a family's views in a transaction of somebody else's. Exchanges are left to
/// [`crate::fold::Folder`]: no answer waits for them.
#[derive(Debug)]
pub struct FamilyInline {
    family: Family,
    /// Of the tables that this program writes. Another process may have made others.
    version: String,
}

impl FamilyInline {
    /// For the views of a family.
    pub fn new(family: Family) -> Self {
        Self { family, version: schema_version(family) }
    }
}

#[async_trait]
impl InlineFold for FamilyInline {
    fn standing(&self, organization: OrganizationId) -> String {
        Standing::select(organization)
    }

    async fn fold(
        &self,
        tx: &mut dyn SqlTransaction,
        standing: Vec<SqlRow>,
        organization: OrganizationId,
        records: &[Record],
    ) -> Result<Inline, SqlError> {
        let Some(Standing { version, checkpoint }) = Standing::found(standing)? else {
            return Ok(Inline::Left);
        };
        let (Some(first), Some(last)) = (records.first(), records.last()) else {
            return Ok(Inline::Left);
        };
        if version != self.version || checkpoint.stopped.is_some() {
            return Ok(Inline::Left);
        }
        if checkpoint.at.position + 1 != first.position {
            return Ok(Inline::Behind(checkpoint.at.position));
        }
        let page = Page { organization, records, exchanges: &[] };
        let rows = WorkingSet::fetch(views(self.family), tx, page).await?;
        let mut after = checkpoint;
        after.at.position = last.position;
        // All statements are made before the first is run. What cannot be made is left to the
        // folder, which finds out which record it is and stops there. The append must outlive
        // also a mistake of ours: the thread is that of all appends.
        let made =
            catch_unwind(AssertUnwindSafe(|| statements(rows, records, after, organization)));
        match made {
            Ok(Ok(statements)) => tx.execute_all(statements).await.map(|()| Inline::Folded),
            Ok(Err(Bad(_))) | Err(_) => Ok(Inline::Left),
        }
    }
}

fn statements(
    mut rows: WorkingSet,
    records: &[Record],
    after: Checkpoint,
    organization: OrganizationId,
) -> Result<Vec<Statement>, Bad> {
    records.iter().try_for_each(|record| rows.record(record))?;
    let mut statements = rows.flush()?;
    statements.push(after.save(organization)?);
    Ok(statements)
}
