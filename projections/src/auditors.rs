//! The keys of auditors: table, fold, queries. Part of the family that is folded at once, so that a
//! revoked key is refused from then on, by every process.

use crate::bad::Bad;
use crate::columns::{Columns, Stored, columns, read_all, read_first};
use crate::credential::CredentialState;
use crate::page::Page;
use crate::table::{Statement, Table};
use crate::text::{bounded, micros};
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::{AuditorId, OrganizationId};
use rollcall_domain::log::{Position, Record, RecordedExchange};
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction};
use std::collections::BTreeMap;
use std::sync::Arc;

columns! {
    /// An auditor's key, without its secret.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct AuditorRow {
        /// SHA-256 of the key, in lower-case hex.
        pub(crate) sha256: String,
        /// Whose log it opens.
        pub organization: OrganizationId,
        /// Names it.
        pub id: AuditorId,
        /// Position at which it was issued.
        pub(crate) seq: Position,
        /// What the operator calls it.
        pub label: String,
        /// When it was issued.
        pub issued: DateTime<Utc>,
        /// From when on it is refused.
        pub expires: Option<DateTime<Utc>>,
        /// When it was revoked.
        pub revoked: Option<DateTime<Utc>>,
        /// When it was last used, as far as exchanges are folded.
        pub last_used: Option<DateTime<Utc>>,
    }

    /// One row for each key ever issued; `seq` is the position at which it was.
    pub table AUDITORS = "auditors" {
        key: ["sha256"],
        indexes: [["organization", "id"], ["organization", "seq"]],
        order: "seq",
    }
}

impl AuditorRow {
    /// Whether it is let in.
    pub fn state(&self, now: DateTime<Utc>) -> CredentialState {
        CredentialState::at(now, self.expires, self.revoked)
    }
}

/// What a page does to keys.
#[derive(Debug)]
pub(crate) struct Keys {
    organization: OrganizationId,
    issued: Vec<AuditorRow>,
    changes: Vec<Statement>,
    used: BTreeMap<AuditorId, DateTime<Utc>>,
}

impl View for Keys {
    const NAME: &'static str = "auditors";
    const REVISION: u32 = 1;
    const TABLES: &'static [&'static Table] = &[&AUDITORS];

    async fn fetch(_: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        Ok(Self { organization: page.organization, issued: Vec::new(), changes: Vec::new(), used: BTreeMap::new() })
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        let organization = self.organization;
        match event {
            DomainEvent::Organization(OrganizationEvent::AuditorKeyIssued { auditor, sha256, label, expires_at }) => {
                self.issued.push(AuditorRow {
                    sha256: sha256.clone(),
                    organization,
                    id: *auditor,
                    seq: record.position,
                    label: bounded(label, 1_000),
                    issued: record.recorded_at,
                    expires: *expires_at,
                    revoked: None,
                    last_used: None,
                });
            }
            DomainEvent::Organization(OrganizationEvent::AuditorKeyRevoked { auditor }) => {
                let sql = "UPDATE auditors SET revoked = $1 WHERE organization = $2 AND id = $3";
                let params = vec![micros(record.recorded_at).into(), organization.into(), auditor.to_string().into()];
                self.changes.push((sql.to_owned(), params));
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes whose key an exchange came with.
    fn exchange(&mut self, recorded: &RecordedExchange) -> Result<(), Bad> {
        if let Actor::Auditor { auditor } = recorded.exchange.caller {
            self.used.insert(auditor, recorded.exchange.received_at);
        }
        Ok(())
    }

    /// First new keys, then what happens to keys.
    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        AuditorRow::upsert(self.issued, out)?;
        out.extend(self.changes);
        for (auditor, at) in self.used {
            let sql = "UPDATE auditors SET last_used = $1 WHERE organization = $2 AND id = $3";
            out.push((sql.to_owned(), vec![micros(at).into(), self.organization.into(), auditor.to_string().into()]));
        }
        Ok(())
    }
}

/// Reads auditors' keys.
#[derive(Clone)]
pub struct Auditors {
    views: Arc<dyn SqlStore>,
}

impl Auditors {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// The key with this SHA-256 (lower-case hex). Whether it is let in is for [`AuditorRow::state`] to say.
    pub async fn by_hash(&self, sha256: &str) -> Result<Option<AuditorRow>, SqlError> {
        let sql = format!("SELECT {} FROM auditors WHERE sha256 = $1", AuditorRow::list());
        read_first(self.views.query(&sql, vec![sha256.into()]).await?)
    }

    /// An organization's keys, revoked and expired ones too, in the order of issue.
    pub async fn list(&self, organization: OrganizationId) -> Result<Vec<AuditorRow>, SqlError> {
        let sql = format!("SELECT {} FROM auditors WHERE organization = $1 ORDER BY seq", AuditorRow::list());
        read_all(self.views.query(&sql, vec![organization.into()]).await?)
    }
}
