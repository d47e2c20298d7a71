//! The keys of auditors: table, fold, queries. Part of the family that is folded at once, so that a
//! revoked key is refused from then on, by every process.

use crate::credential::CredentialState;
use crate::table::{Statement, Table, int, optional_int, text};
use crate::text::{bounded, id, instant, micros};
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::ids::{AuditorId, OrganizationId};
use rollcall_domain::log::{Record, RecordedExchange};
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore, SqlValue};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One row for each key ever issued; `seq` is the position at which it was.
pub const AUDITORS: Table = Table {
    name: "auditors",
    columns: &[
        text("sha256"),
        text("organization"),
        text("id"),
        int("seq"),
        text("label"),
        int("issued"),
        optional_int("expires"),
        optional_int("revoked"),
        optional_int("last_used"),
    ],
    key: &["sha256"],
    indexes: &[&["organization", "id"], &["organization", "seq"]],
    order: "seq",
};

/// An auditor's key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditorRow {
    /// Whose log it opens.
    pub organization: OrganizationId,
    /// Names it.
    pub id: AuditorId,
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

impl AuditorRow {
    /// Whether it is let in.
    pub fn state(&self, now: DateTime<Utc>) -> CredentialState {
        CredentialState::at(now, self.expires, self.revoked)
    }
}

/// What a page of records does to keys.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    issued: Vec<Vec<SqlValue>>,
    changes: Vec<Statement>,
    used: BTreeMap<AuditorId, DateTime<Utc>>,
}

impl Keys {
    /// Folds one event.
    pub fn apply(&mut self, record: &Record, event: &OrganizationEvent) {
        let organization = record.stream.organization;
        match event {
            OrganizationEvent::AuditorKeyIssued { auditor, sha256, label, expires_at } => self.issued.push(vec![
                sha256.clone().into(),
                organization.into(),
                auditor.to_string().into(),
                record.position.into(),
                bounded(label, 1_000).into(),
                micros(record.recorded_at).into(),
                expires_at.map(micros).into(),
                SqlValue::Int(None),
                SqlValue::Int(None),
            ]),
            OrganizationEvent::AuditorKeyRevoked { auditor } => {
                let sql = "UPDATE auditors SET revoked = $1 WHERE organization = $2 AND id = $3";
                let params = vec![micros(record.recorded_at).into(), organization.into(), auditor.to_string().into()];
                self.changes.push((sql.to_owned(), params));
            }
            _ => {}
        }
    }

    /// Notes whose key an exchange came with.
    pub fn exchange(&mut self, recorded: &RecordedExchange) {
        if let Actor::Auditor { auditor } = recorded.exchange.caller {
            self.used.insert(auditor, recorded.exchange.received_at);
        }
    }

    /// The statements: first new keys, then what happens to keys.
    pub fn flush(self, organization: OrganizationId, out: &mut Vec<Statement>) {
        AUDITORS.upsert(self.issued, out);
        out.extend(self.changes);
        for (auditor, at) in self.used {
            let sql = "UPDATE auditors SET last_used = $1 WHERE organization = $2 AND id = $3";
            out.push((sql.to_owned(), vec![micros(at).into(), organization.into(), auditor.to_string().into()]));
        }
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
        let sql = format!("SELECT {} FROM auditors WHERE sha256 = $1", AUDITORS.all());
        self.views.query(&sql, vec![sha256.into()]).await?.first().map(auditor_row).transpose()
    }

    /// An organization's keys, revoked and expired ones too, in the order of issue.
    pub async fn list(&self, organization: OrganizationId) -> Result<Vec<AuditorRow>, SqlError> {
        let sql = format!("SELECT {} FROM auditors WHERE organization = $1 ORDER BY seq", AUDITORS.all());
        self.views.query(&sql, vec![organization.into()]).await?.iter().map(auditor_row).collect()
    }
}

fn auditor_row(row: &SqlRow) -> Result<AuditorRow, SqlError> {
    let instant_at = |i: usize| row.optional_int(i)?.map(instant).transpose();
    Ok(AuditorRow {
        organization: id(row.text(1)?)?,
        id: id(row.text(2)?)?,
        label: row.text(4)?.to_owned(),
        issued: instant(row.int(5)?)?,
        expires: instant_at(6)?,
        revoked: instant_at(7)?,
        last_used: instant_at(8)?,
    })
}
