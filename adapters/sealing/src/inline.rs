//! Opening for views that a log folds itself.

use crate::opener::Opener;
use async_trait::async_trait;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Inline, InlineFold, Record};
use rollcall_domain::sql::{SqlError, SqlRow, SqlTransaction};
use std::sync::Arc;

/// Views that are given what they are to see of stored records.
pub struct OpeningFold {
    inner: Arc<dyn InlineFold>,
    opener: Opener,
}

impl OpeningFold {
    pub(crate) fn new(inner: Arc<dyn InlineFold>, opener: Opener) -> Self {
        Self { inner, opener }
    }
}

#[async_trait]
impl InlineFold for OpeningFold {
    fn standing(&self, organization: OrganizationId) -> String {
        self.inner.standing(organization)
    }

    async fn fold(
        &self,
        tx: &mut dyn SqlTransaction,
        standing: Vec<SqlRow>,
        organization: OrganizationId,
        records: &[Record],
    ) -> Result<Inline, SqlError> {
        let mut opened = Vec::with_capacity(records.len());
        for record in records {
            // An append waits: what needs a key that is not at hand is left to the folder.
            match self.opener.record_at_hand(record) {
                Some(record) => opened.push(record),
                None => return Ok(Inline::Left),
            }
        }
        self.inner.fold(tx, standing, organization, &opened).await
    }
}
