//! SAML connections and the history of their certificates: tables, fold, queries.

use crate::page::Bad;
use crate::table::{Statement, Table, int, optional_int, optional_text, text};
use crate::text::{bounded, count, id, instant, micros};
use chrono::{DateTime, Utc};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Record, Version};
use rollcall_domain::organization::{CertificateOwner, OrganizationEvent, SamlSettings};
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore, SqlTransaction, SqlValue};
use std::sync::Arc;

/// One row for each organization with a SAML connection; `settings` is as the domain has it,
/// private keys sealed.
pub const SAML_CONNECTIONS: Table = Table {
    name: "saml_connections",
    columns: &[text("organization"), text("state"), int("version"), int("changed"), text("settings")],
    key: &["organization"],
    indexes: &[],
    order: "version",
};

/// One row for each time that a certificate came into use; `seq` is the position at which it did.
pub const SAML_CERTIFICATES: Table = Table {
    name: "saml_certificates",
    columns: &[
        text("organization"),
        int("seq"),
        text("owner"),
        text("sha256"),
        optional_text("subject"),
        int("not_before"),
        int("not_after"),
        int("since"),
        optional_int("until"),
        optional_int("warned_days"),
    ],
    key: &["organization", "seq"],
    indexes: &[&["organization", "sha256"]],
    order: "seq",
};

/// A SAML connection.
#[derive(Clone, Debug, PartialEq)]
pub struct SamlConnection {
    /// Whose it is.
    pub organization: OrganizationId,
    /// Number of the organization's events when it last changed.
    pub version: Version,
    /// When it last changed.
    pub changed: DateTime<Utc>,
    /// What is set.
    pub settings: SamlSettings,
}

/// A certificate, and how long it was or is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRow {
    /// `identity-provider` or `service-provider`.
    pub owner: String,
    /// Its fingerprint.
    pub sha256: String,
    /// Its subject.
    pub subject: Option<String>,
    /// From when on it is valid.
    pub not_before: DateTime<Utc>,
    /// Until when it is valid.
    pub not_after: DateTime<Utc>,
    /// Since when it is in use.
    pub since: DateTime<Utc>,
    /// Until when it was in use.
    pub until: Option<DateTime<Utc>>,
    /// Within how many days of its end a warning was kept.
    pub warned_days: Option<u64>,
}

/// What a page of records does to a connection, in order.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    settings: SamlSettings,
    changed: Option<(Version, DateTime<Utc>)>,
    statements: Vec<Statement>,
}

impl Connections {
    /// Reads the connection if a record changes it.
    pub async fn fetch(tx: &mut dyn SqlTransaction, organization: OrganizationId, records: &[Record]) -> Result<Self, SqlError> {
        let mut connections = Self::default();
        if records.iter().any(|r| r.event_type.starts_with("Saml")) {
            let rows = tx.query(&select("organization = $1"), vec![organization.into()]).await?;
            if let Some(row) = rows.first() {
                connections.settings = connection(row)?.settings;
            }
        }
        Ok(connections)
    }

    /// Folds one event of an organization.
    pub fn apply(&mut self, record: &Record, event: &OrganizationEvent) -> Result<(), Bad> {
        match event {
            OrganizationEvent::SamlCertificateTrusted { certificate: c } => {
                self.begins(record, CertificateOwner::IdentityProvider, &c.sha256, Some(&c.subject), (c.not_before, c.not_after));
            }
            OrganizationEvent::SamlCertificateDropped { sha256 } => self.ends(record, sha256),
            OrganizationEvent::SamlKeyGenerated { key } => {
                let c = &key.certificate;
                self.begins(record, CertificateOwner::ServiceProvider, &c.sha256, None, (c.not_before, c.not_after));
            }
            OrganizationEvent::SamlKeyRetired { key } => {
                let known = self.settings.keys.iter().find(|k| k.id == *key).map(|k| k.certificate.sha256.clone());
                let sha256 = known.ok_or_else(|| Bad::new("retires a key that was never generated"))?;
                self.ends(record, &sha256);
            }
            OrganizationEvent::SamlCertificateExpiring { sha256, days, .. } => {
                let sql = "UPDATE saml_certificates SET warned_days = $1 WHERE organization = $2 AND sha256 = $3 AND until IS NULL";
                let params = vec![i64::from(*days).into(), record.stream.organization.into(), sha256.clone().into()];
                self.statements.push((sql.to_owned(), params));
            }
            OrganizationEvent::SamlConfigured { .. }
            | OrganizationEvent::SamlPolicyChanged { .. }
            | OrganizationEvent::SamlEnabled {}
            | OrganizationEvent::SamlDisabled {} => {}
            _ => return Ok(()),
        }
        self.settings.evolve(event);
        self.changed = Some((record.version, record.recorded_at));
        Ok(())
    }

    fn begins(
        &mut self,
        record: &Record,
        owner: CertificateOwner,
        sha256: &str,
        subject: Option<&str>,
        valid: (DateTime<Utc>, DateTime<Utc>),
    ) {
        SAML_CERTIFICATES.upsert(
            vec![vec![
                record.stream.organization.into(),
                record.position.into(),
                owner.as_str().into(),
                sha256.into(),
                subject.map(|s| bounded(s, 1_000)).into(),
                micros(valid.0).into(),
                micros(valid.1).into(),
                micros(record.recorded_at).into(),
                SqlValue::Int(None),
                SqlValue::Int(None),
            ]],
            &mut self.statements,
        );
    }

    fn ends(&mut self, record: &Record, sha256: &str) {
        let sql = "UPDATE saml_certificates SET until = $1 WHERE organization = $2 AND sha256 = $3 AND until IS NULL";
        self.statements.push((sql.to_owned(), vec![micros(record.recorded_at).into(), record.stream.organization.into(), sha256.into()]));
    }

    /// The statements.
    pub fn flush(self, organization: OrganizationId, out: &mut Vec<Statement>) -> Result<(), Bad> {
        if let Some((version, at)) = self.changed {
            let settings = serde_json::to_string(&self.settings).map_err(|_| Bad::new("the SAML settings cannot be written"))?;
            let state = self.settings.state.as_str().into();
            SAML_CONNECTIONS.upsert(vec![vec![organization.into(), state, version.into(), micros(at).into(), settings.into()]], out);
        }
        out.extend(self.statements);
        Ok(())
    }
}

fn select(condition: &str) -> String {
    format!("SELECT {} FROM saml_connections WHERE {condition}", SAML_CONNECTIONS.all())
}

/// Reads SAML connections.
#[derive(Clone)]
pub struct SamlConnections {
    views: Arc<dyn SqlStore>,
}

impl SamlConnections {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// An organization's connection, if it was ever set up.
    pub async fn of(&self, organization: OrganizationId) -> Result<Option<SamlConnection>, SqlError> {
        let rows = self.views.query(&select("organization = $1"), vec![organization.into()]).await?;
        rows.first().map(connection).transpose()
    }

    /// All connections that are switched on.
    pub async fn enabled(&self) -> Result<Vec<SamlConnection>, SqlError> {
        self.views.query(&select("state = $1"), vec!["enabled".into()]).await?.iter().map(connection).collect()
    }

    /// All connections, those that are switched off too.
    pub async fn all(&self) -> Result<Vec<SamlConnection>, SqlError> {
        self.views.query(&select("1 = 1"), Vec::new()).await?.iter().map(connection).collect()
    }

    /// An organization's certificates, those of the past too, in the order in which they came.
    pub async fn certificates(&self, organization: OrganizationId) -> Result<Vec<CertificateRow>, SqlError> {
        let sql = format!("SELECT {} FROM saml_certificates WHERE organization = $1 ORDER BY seq", SAML_CERTIFICATES.all());
        self.views.query(&sql, vec![organization.into()]).await?.iter().map(certificate).collect()
    }
}

fn connection(row: &SqlRow) -> Result<SamlConnection, SqlError> {
    Ok(SamlConnection {
        organization: id(row.text(0)?)?,
        version: count(row.int(2)?)?,
        changed: instant(row.int(3)?)?,
        settings: serde_json::from_str(row.text(4)?).map_err(|_| SqlError::Shape("the SAML settings cannot be read".to_owned()))?,
    })
}

fn certificate(row: &SqlRow) -> Result<CertificateRow, SqlError> {
    Ok(CertificateRow {
        owner: row.text(2)?.to_owned(),
        sha256: row.text(3)?.to_owned(),
        subject: row.optional_text(4)?.map(str::to_owned),
        not_before: instant(row.int(5)?)?,
        not_after: instant(row.int(6)?)?,
        since: instant(row.int(7)?)?,
        until: row.optional_int(8)?.map(instant).transpose()?,
        warned_days: row.optional_int(9)?.map(count).transpose()?,
    })
}
