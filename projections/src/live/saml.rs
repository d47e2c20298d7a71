//! SAML connections and the history of their certificates: tables, fold, queries.

use crate::bad::Bad;
use crate::cells::structures;
use crate::columns::{Columns, Stored, columns, read_all, read_first};
use crate::page::Page;
use crate::table::{Statement, Table};
use crate::text::{bounded, micros};
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Position, Record, Version};
use rollcall_domain::organization::{CertificateOwner, OrganizationEvent, SamlSettings};
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction};
use std::sync::Arc;

columns! {
    /// A SAML connection.
    #[derive(Clone, Debug, PartialEq)]
    pub struct SamlConnection {
        /// Whose it is.
        pub organization: OrganizationId,
        /// The name of the state that `settings` say.
        pub(crate) state: String,
        /// Number of the organization's events when it last changed.
        pub version: Version,
        /// When it last changed.
        pub changed: DateTime<Utc>,
        /// What is set.
        pub settings: SamlSettings,
    }

    /// One row for each organization with a SAML connection; `settings` is as the domain has it,
    /// private keys sealed.
    pub table SAML_CONNECTIONS = "saml_connections" {
        key: ["organization"],
        indexes: [],
        order: "version",
    }
}

columns! {
    /// A certificate, and how long it was or is in use.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CertificateRow {
        /// Whose data it is.
        pub organization: OrganizationId,
        /// Position at which it came into use.
        pub seq: Position,
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

    /// One row for each time that a certificate came into use; `seq` is the position at which it
    /// did.
    pub table SAML_CERTIFICATES = "saml_certificates" {
        key: ["organization", "seq"],
        indexes: [["organization", "sha256"]],
        order: "seq",
    }
}

structures!(SamlSettings);

/// What a page of records does to a connection, in order.
#[derive(Debug)]
pub(crate) struct Connections {
    organization: OrganizationId,
    settings: SamlSettings,
    changed: Option<(Version, DateTime<Utc>)>,
    statements: Vec<Statement>,
}

impl View for Connections {
    const NAME: &'static str = "saml";
    const REVISION: u32 = 2;
    const TABLES: &'static [&'static Table] = &[&SAML_CONNECTIONS, &SAML_CERTIFICATES];

    /// Reads the connection if a record changes it.
    async fn fetch(tx: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        let mut known = None;
        if page.records.iter().any(|r| r.event_type.starts_with("Saml")) {
            let rows =
                tx.query(&select("organization = $1"), vec![page.organization.into()]).await?;
            known = read_first::<SamlConnection>(rows)?;
        }
        let settings = known.map(|connection| connection.settings).unwrap_or_default();
        Ok(Self {
            organization: page.organization,
            settings,
            changed: None,
            statements: Vec::new(),
        })
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        let DomainEvent::Organization(event) = event else { return Ok(()) };
        match event {
            OrganizationEvent::SamlCertificateTrusted { certificate: c } => {
                self.begins(
                    record,
                    CertificateOwner::IdentityProvider,
                    &c.sha256,
                    Some(&c.subject),
                    (c.not_before, c.not_after),
                )?;
            }
            OrganizationEvent::SamlCertificateDropped { sha256 } => self.ends(record, sha256),
            OrganizationEvent::SamlKeyGenerated { key } => {
                let c = &key.certificate;
                self.begins(
                    record,
                    CertificateOwner::ServiceProvider,
                    &c.sha256,
                    None,
                    (c.not_before, c.not_after),
                )?;
            }
            OrganizationEvent::SamlKeyRetired { key } => {
                let known = self
                    .settings
                    .keys
                    .iter()
                    .find(|k| k.id == *key)
                    .map(|k| k.certificate.sha256.clone());
                let sha256 =
                    known.ok_or_else(|| Bad::new("retires a key that was never generated"))?;
                self.ends(record, &sha256);
            }
            OrganizationEvent::SamlCertificateExpiring { sha256, days, .. } => {
                let sql = "UPDATE saml_certificates SET warned_days = $1 WHERE organization = $2 AND sha256 = $3 AND until IS NULL";
                let params = vec![
                    i64::from(*days).into(),
                    record.stream.organization.into(),
                    sha256.clone().into(),
                ];
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

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        if let Some((version, changed)) = self.changed {
            let state = self.settings.state.as_str().to_owned();
            SamlConnection::upsert(
                vec![SamlConnection {
                    organization: self.organization,
                    state,
                    version,
                    changed,
                    settings: self.settings,
                }],
                out,
            )?;
        }
        out.extend(self.statements);
        Ok(())
    }
}

impl Connections {
    fn begins(
        &mut self,
        record: &Record,
        owner: CertificateOwner,
        sha256: &str,
        subject: Option<&str>,
        valid: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<(), Bad> {
        let (not_before, not_after) = valid;
        let begun = CertificateRow {
            organization: record.stream.organization,
            seq: record.position,
            owner: owner.as_str().to_owned(),
            sha256: sha256.to_owned(),
            subject: subject.map(|s| bounded(s, 1_000)),
            not_before,
            not_after,
            since: record.recorded_at,
            until: None,
            warned_days: None,
        };
        CertificateRow::upsert(vec![begun], &mut self.statements)
    }

    fn ends(&mut self, record: &Record, sha256: &str) {
        let sql = "UPDATE saml_certificates SET until = $1 WHERE organization = $2 AND sha256 = $3 AND until IS NULL";
        self.statements.push((
            sql.to_owned(),
            vec![
                micros(record.recorded_at).into(),
                record.stream.organization.into(),
                sha256.into(),
            ],
        ));
    }
}

fn select(condition: &str) -> String {
    format!("SELECT {} FROM saml_connections WHERE {condition}", SamlConnection::list())
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
    pub async fn of(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<SamlConnection>, SqlError> {
        read_first(self.views.query(&select("organization = $1"), vec![organization.into()]).await?)
    }

    /// All connections that are switched on.
    pub async fn enabled(&self) -> Result<Vec<SamlConnection>, SqlError> {
        read_all(self.views.query(&select("state = $1"), vec!["enabled".into()]).await?)
    }

    /// All connections, those that are switched off too.
    pub async fn all(&self) -> Result<Vec<SamlConnection>, SqlError> {
        read_all(self.views.query(&select("1 = 1"), Vec::new()).await?)
    }

    /// An organization's certificates, those of the past too, in the order in which they came.
    pub async fn certificates(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<CertificateRow>, SqlError> {
        let sql = format!(
            "SELECT {} FROM saml_certificates WHERE organization = $1 ORDER BY seq",
            CertificateRow::list()
        );
        read_all(self.views.query(&sql, vec![organization.into()]).await?)
    }
}
