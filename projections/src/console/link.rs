//! Links that let somebody in once, or until they end.

use super::ConsoleRole;
use super::session::ConsoleSessionRow;
use crate::columns::{Columns, Stored, columns, read_all, read_first};
use chrono::{DateTime, Utc};
use rollcall_domain::ids::{CredentialId, OrganizationId};
use rollcall_domain::sql::{SqlError, SqlStore, SqlValue};
use std::sync::Arc;
use uuid::Uuid;

columns! {
    /// A link.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ConsoleLinkRow {
        /// SHA-256 of its secret, in lower-case hex.
        pub sha256: String,
        /// Names it.
        pub id: Uuid,
        /// Where it lets in; none for an operator's.
        pub organization: OrganizationId,
        /// As whom.
        pub role: ConsoleRole,
        /// The credential that its holder acts by; none of the key of the data folder.
        pub credential: Option<CredentialId>,
        /// Whom or what it is for.
        pub label: String,
        /// Who made it.
        pub made_by: String,
        /// When.
        pub made_at: DateTime<Utc>,
        /// From when on it lets nobody in.
        pub ends_at: DateTime<Utc>,
        /// Whether it lets in more than once.
        pub is_shareable: bool,
        /// How often it let somebody in.
        pub uses: u64,
        /// When it last did.
        pub last_use_at: Option<DateTime<Utc>>,
        /// From which address that was.
        pub last_use_from: Option<String>,
        /// When it was revoked.
        pub revoked_at: Option<DateTime<Utc>>,
    }

    pub(super) table CONSOLE_LINKS = "console_links" {
        key: ["sha256"],
        indexes: [["organization"], ["id"]],
        order: "made_at",
    }
}

/// What a link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It lets in.
    Live,
    /// It was for one use.
    Used,
    /// Its time is over.
    Ended,
    /// Somebody took it back.
    Revoked,
}

impl LinkState {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            LinkState::Live => "live",
            LinkState::Used => "used",
            LinkState::Ended => "ended",
            LinkState::Revoked => "revoked",
        }
    }
}

impl ConsoleLinkRow {
    /// What it is good for at a time.
    pub fn state(&self, now: DateTime<Utc>) -> LinkState {
        match self {
            _ if self.revoked_at.is_some() => LinkState::Revoked,
            _ if !self.is_shareable && self.uses > 0 => LinkState::Used,
            _ if self.ends_at <= now => LinkState::Ended,
            _ => LinkState::Live,
        }
    }
}

/// Keeps links.
#[derive(Clone)]
pub struct Links {
    store: Arc<dyn SqlStore>,
}

impl Links {
    pub(super) fn new(store: Arc<dyn SqlStore>) -> Self {
        Self { store }
    }

    /// Keeps a new one.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn add(&self, row: ConsoleLinkRow) -> Result<(), SqlError> {
        let tx = self.store.begin(row.organization).await?;
        let mut statements = Vec::new();
        ConsoleLinkRow::upsert(vec![row], &mut statements)?;
        tx.finish(statements).await
    }

    /// The link with this secret, whatever has become of it.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn of_secret(&self, sha256: &str) -> Result<Option<ConsoleLinkRow>, SqlError> {
        read_first(self.store.query(&by("sha256 = $1"), vec![sha256.into()]).await?)
    }

    /// All links of an organization, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn list(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<ConsoleLinkRow>, SqlError> {
        let sql = format!("{} ORDER BY made_at DESC", by("organization = $1"));
        read_all(self.store.query(&sql, vec![organization.into()]).await?)
    }

    /// Uses a link: counts the use and begins the session in one transaction, if it is live. Gives
    /// what it was good for before.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn redeem(
        &self,
        link: &ConsoleLinkRow,
        session: ConsoleSessionRow,
    ) -> Result<LinkState, SqlError> {
        let (now, key) = (session.began_at, vec![link.sha256.as_str().into()]);
        let (tx, found) = self.store.begin_with(link.organization, &by("sha256 = $1"), key).await?;
        let Some(mut row) = read_first::<ConsoleLinkRow>(found)? else {
            return Ok(LinkState::Ended);
        };
        let state = row.state(now);
        if state == LinkState::Live {
            row.uses += 1;
            (row.last_use_at, row.last_use_from) = (Some(now), session.source.clone());
            let mut statements = Vec::new();
            ConsoleLinkRow::upsert(vec![row], &mut statements)?;
            ConsoleSessionRow::upsert(vec![session], &mut statements)?;
            tx.finish(statements).await?;
        }
        Ok(state)
    }

    /// Takes a link back; false if the organization has none of this id. Its sessions end with its
    /// credential.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn revoke(
        &self,
        organization: OrganizationId,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<ConsoleLinkRow>, SqlError> {
        let key: Vec<SqlValue> = vec![organization.into(), id.to_string().into()];
        let sql = by("organization = $1 AND id = $2");
        let (tx, found) = self.store.begin_with(organization, &sql, key).await?;
        let Some(mut row) = read_first::<ConsoleLinkRow>(found)? else { return Ok(None) };
        row.revoked_at.get_or_insert(now);
        let mut statements = Vec::new();
        ConsoleLinkRow::upsert(vec![row.clone()], &mut statements)?;
        tx.finish(statements).await?;
        Ok(Some(row))
    }
}

fn by(condition: &str) -> String {
    format!("SELECT {} FROM {} WHERE {condition}", ConsoleLinkRow::list(), CONSOLE_LINKS.name)
}
