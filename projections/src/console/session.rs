//! Sessions of the console.

use super::ConsoleRole;
use crate::columns::{Columns, Stored, columns, read_all, read_first};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::ids::{CredentialId, OrganizationId};
use rollcall_domain::sql::{SqlError, SqlStore, SqlValue};
use std::sync::Arc;
use uuid::Uuid;

/// A session in which nothing was asked for so long is over.
pub const IDLE_MINUTES: i64 = 30;

/// A session is over after so long.
pub const TOTAL_HOURS: i64 = 12;

/// A sign of life is kept this often: not each of them is worth a write.
const SEEN_SECONDS: i64 = 60;

/// What is over for so long is forgotten; who signed in and out stands in the exchanges.
const KEPT_DAYS: i64 = 30;

columns! {
    /// A session.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ConsoleSessionRow {
        /// SHA-256 of what its cookie holds, in lower-case hex.
        pub sha256: String,
        /// Names it.
        pub id: Uuid,
        /// Where it lets in; none for an operator's.
        pub organization: OrganizationId,
        /// As whom.
        pub role: ConsoleRole,
        /// The credential that its holder acts by; none of the key of the data folder.
        pub credential: Option<CredentialId>,
        /// Who it is, for people.
        pub label: String,
        /// When it began.
        pub began_at: DateTime<Utc>,
        /// When something was last asked in it, to the minute.
        pub seen_at: DateTime<Utc>,
        /// So many minutes without a question end it.
        pub idle_minutes: i64,
        /// When it is over at the latest.
        pub ends_at: DateTime<Utc>,
        /// The address from which it began.
        pub source: Option<String>,
        /// When somebody ended it.
        pub ended_at: Option<DateTime<Utc>>,
    }

    pub(super) table CONSOLE_SESSIONS = "console_sessions" {
        key: ["sha256"],
        indexes: [["organization"], ["id"]],
        order: "began_at",
    }
}

impl ConsoleSessionRow {
    /// Whether it lets in at a time.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none()
            && now < self.ends_at
            && now < self.seen_at + TimeDelta::minutes(self.idle_minutes)
    }
}

/// Keeps sessions.
#[derive(Clone)]
pub struct Sessions {
    store: Arc<dyn SqlStore>,
}

impl Sessions {
    pub(super) fn new(store: Arc<dyn SqlStore>) -> Self {
        Self { store }
    }

    /// Begins one, and forgets what has long been over.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn begin(&self, row: ConsoleSessionRow) -> Result<(), SqlError> {
        let mut tx = self.store.begin(row.organization).await?;
        let over = (row.began_at - TimeDelta::days(KEPT_DAYS)).timestamp_micros();
        let forget = format!("DELETE FROM {} WHERE ends_at < $1", CONSOLE_SESSIONS.name);
        tx.execute(&forget, vec![over.into()]).await?;
        let mut statements = Vec::new();
        ConsoleSessionRow::upsert(vec![row], &mut statements)?;
        tx.finish(statements).await
    }

    /// The session of a cookie, if it is live; it counts as seen.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn of_cookie(
        &self,
        sha256: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<ConsoleSessionRow>, SqlError> {
        let found = self.store.query(&by("sha256 = $1"), vec![sha256.into()]).await?;
        let found = read_first::<ConsoleSessionRow>(found)?.filter(|row| row.is_live(now));
        let Some(row) = found else { return Ok(None) };
        if now - row.seen_at >= TimeDelta::seconds(SEEN_SECONDS) {
            // One column only: whoever ends it meanwhile is not overwritten.
            let sql = format!(
                "UPDATE {} SET seen_at = $1 WHERE sha256 = $2 AND ended_at IS NULL",
                CONSOLE_SESSIONS.name
            );
            let mut tx = self.store.begin(row.organization).await?;
            tx.execute(&sql, vec![now.timestamp_micros().into(), sha256.into()]).await?;
            tx.commit().await?;
        }
        Ok(Some(row))
    }

    /// Whether the session of a cookie lets in; it does not count as seen.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn is_live(&self, sha256: &str, now: DateTime<Utc>) -> Result<bool, SqlError> {
        let found = self.store.query(&by("sha256 = $1"), vec![sha256.into()]).await?;
        Ok(read_first::<ConsoleSessionRow>(found)?.is_some_and(|row| row.is_live(now)))
    }

    /// All sessions of an organization that are kept, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn list(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<ConsoleSessionRow>, SqlError> {
        let sql = format!("{} ORDER BY began_at DESC", by("organization = $1"));
        read_all(self.store.query(&sql, vec![organization.into()]).await?)
    }

    /// Ends one, at once and on every server; false if the organization has none of this id.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn end(
        &self,
        organization: OrganizationId,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, SqlError> {
        let key: Vec<SqlValue> = vec![organization.into(), id.to_string().into()];
        let sql = by("organization = $1 AND id = $2");
        let (tx, found) = self.store.begin_with(organization, &sql, key).await?;
        let Some(mut row) = read_first::<ConsoleSessionRow>(found)? else { return Ok(false) };
        row.ended_at.get_or_insert(now);
        let mut statements = Vec::new();
        ConsoleSessionRow::upsert(vec![row], &mut statements)?;
        tx.finish(statements).await?;
        Ok(true)
    }
}

fn by(condition: &str) -> String {
    format!("SELECT {} FROM {} WHERE {condition}", ConsoleSessionRow::list(), CONSOLE_SESSIONS.name)
}
