//! When sessions were last asked for: in the side store, because it is written by whoever asks, and
//! only where an organization ends sessions that nobody asks for.

use crate::columns::{Columns, Stored, columns, read_first};
use crate::schema;
use chrono::{DateTime, Utc};
use rollcall_domain::ids::{OrganizationId, SessionId};
use rollcall_domain::sql::{SqlError, SqlStore};
use std::sync::Arc;

columns! {
    /// When a session was last asked for.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct UseRow {
        organization: OrganizationId,
        session: SessionId,
        at: DateTime<Utc>,
    }

    table USES = "session_uses" {
        key: ["organization", "session"],
        indexes: [],
        order: "at",
    }
}

/// The last uses.
#[derive(Clone)]
pub struct SessionUses {
    store: Arc<dyn SqlStore>,
}

impl SessionUses {
    /// Keeps them in this store; makes the table if there is none.
    ///
    /// # Errors
    /// If the store cannot be reached.
    pub async fn open(store: Arc<dyn SqlStore>) -> Result<Self, SqlError> {
        schema::make(&*store, &[&USES]).await?;
        Ok(Self { store })
    }

    /// When a session was last asked for, if that was noted.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn last(
        &self,
        organization: OrganizationId,
        session: SessionId,
    ) -> Result<Option<DateTime<Utc>>, SqlError> {
        let sql = format!(
            "SELECT {} FROM session_uses WHERE organization = $1 AND session = $2",
            UseRow::list()
        );
        let params = vec![organization.into(), session.to_string().into()];
        Ok(read_first::<UseRow>(self.store.query(&sql, params).await?)?.map(|row| row.at))
    }

    /// Notes that a session was asked for.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn note(
        &self,
        organization: OrganizationId,
        session: SessionId,
        at: DateTime<Utc>,
    ) -> Result<(), SqlError> {
        let tx = self.store.begin(organization).await?;
        let mut statements = Vec::new();
        UseRow::upsert(vec![UseRow { organization, session, at }], &mut statements)?;
        tx.finish(statements).await
    }

    /// Forgets a session that has ended.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn forget(
        &self,
        organization: OrganizationId,
        session: SessionId,
    ) -> Result<(), SqlError> {
        let mut tx = self.store.begin(organization).await?;
        let sql = "DELETE FROM session_uses WHERE organization = $1 AND session = $2";
        tx.execute(sql, vec![organization.into(), session.to_string().into()]).await?;
        tx.commit().await
    }
}
