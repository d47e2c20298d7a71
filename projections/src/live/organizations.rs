//! Organizations: table, fold, queries.

use crate::bad::Bad;
use crate::cells::{cell, parsed, words};
use crate::checkpoint::Stop;
use crate::columns::{Columns, Stored, columns, read_all, read_first};
use crate::page::Page;
use crate::table::{Statement, Table};
use crate::text::bounded;
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, Position, Record, Version};
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::scim::Policy;
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction, SqlValue};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Whether an organization's SCIM connection accepts requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScimState {
    /// It was never switched on.
    Never,
    /// It accepts requests.
    Enabled,
    /// It was switched off.
    Disabled,
}

impl ScimState {
    /// All of them.
    pub const ALL: [ScimState; 3] = [ScimState::Never, ScimState::Enabled, ScimState::Disabled];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            ScimState::Never => "never",
            ScimState::Enabled => "enabled",
            ScimState::Disabled => "disabled",
        }
    }
}

/// Mail addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recipients(pub Vec<String>);

words!(ScimState: as_str);
cell!(Recipients as String, |all| Ok(json!(all).to_string()), parsed);
// As `json!` writes it, attributes in the order of their names.
cell!(Policy as String, |policy| Ok(json!(policy).to_string()), parsed);

columns! {
    struct Organization {
        organization: OrganizationId,
        domain: String,
        name: String,
        enabled: bool,
        scim: ScimState,
        created: DateTime<Utc>,
        version: Version,
        policy: Policy,
        recipients: Recipients,
    }

    /// One row for each organization.
    pub table ORGANIZATIONS = "organizations" {
        key: ["organization"],
        indexes: [["domain"]],
        order: "version",
    }
}

columns! {
    /// An organization.
    #[derive(Clone, Debug, PartialEq)]
    pub struct OrganizationRow {
        /// Its id.
        pub id: OrganizationId = "o.organization",
        /// Its slug.
        pub domain: String = "o.domain",
        /// Its name for people.
        pub name: String = "o.name",
        /// False if the operator switched it off.
        pub enabled: bool = "o.enabled",
        /// Its SCIM connection.
        pub scim: ScimState = "o.scim",
        /// When it was created.
        pub created: DateTime<Utc> = "o.created",
        /// Number of its events.
        pub version: Version = "o.version",
        /// What its SCIM connection asks of its client.
        pub policy: Policy = "o.policy",
        /// Who is told by mail what needs somebody, in order.
        pub recipients: Recipients = "o.recipients",
        /// How far its views were when this was read.
        pub position: Option<Position> = "c.position",
        /// Set if its views stopped; then reads may be stale and writes must be refused.
        pub stopped: Option<Stop> = ("c.stopped_at_position", "c.stopped_reason", "c.stopped_error"),
    }
}

/// The organization rows that a page touches.
#[derive(Debug)]
pub(crate) struct Settings {
    organization: Option<OrganizationRow>,
    touched: bool,
}

impl View for Settings {
    const NAME: &'static str = "organizations";
    const REVISION: u32 = 3;
    const TABLES: &'static [&'static Table] = &[&ORGANIZATIONS];

    /// Reads the organization if a record changes it.
    async fn fetch(tx: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        let mut settings = Self { organization: None, touched: false };
        if page.of(AggregateKind::Organization).all(|record| record.version == 1) {
            return Ok(settings);
        }
        let sql = format!("{} WHERE o.organization = $1", select_organization());
        settings.organization = read_first(tx.query(&sql, vec![page.organization.into()]).await?)?;
        Ok(settings)
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        let event = match event {
            DomainEvent::Organization(event) => event,
            // Its own stream goes on behind what was lost of it.
            DomainEvent::Lost(_) if record.stream.id == record.stream.organization.0 => {
                self.touched = true;
                if let Some(row) = self.organization.as_mut() {
                    row.version = record.version;
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.touched = true;
        if let OrganizationEvent::Created { name, domain } = event {
            if self.organization.is_some() {
                return Err(Bad::new("created although it exists"));
            }
            self.organization = Some(OrganizationRow {
                id: record.stream.organization,
                domain: bounded(domain, WORD_BYTES),
                name: bounded(name, WORD_BYTES),
                enabled: true,
                scim: ScimState::Never,
                created: record.recorded_at,
                version: record.version,
                policy: Policy::default(),
                recipients: Recipients::default(),
                position: None,
                stopped: None,
            });
            return Ok(());
        }
        let Some(row) = self.organization.as_mut() else {
            return Err(Bad::new("changed although it does not exist"));
        };
        if row.version + 1 != record.version {
            return Err(Bad::new(format!(
                "is version {} of its stream, but the row is at version {}",
                record.version, row.version
            )));
        }
        row.version = record.version;
        match event {
            OrganizationEvent::Created { .. } => {}
            OrganizationEvent::Disabled {} => row.enabled = false,
            OrganizationEvent::Enabled {} => row.enabled = true,
            OrganizationEvent::ScimEnabled {} => row.scim = ScimState::Enabled,
            OrganizationEvent::ScimDisabled {} => row.scim = ScimState::Disabled,
            OrganizationEvent::ScimPolicySet { policy } => row.policy = policy.clone(),
            OrganizationEvent::NotificationRecipientsSet { recipients } => {
                row.recipients = Recipients(recipients.clone());
            }
            // Credentials and the SAML connection have views of their own.
            _ => {}
        }
        Ok(())
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        if self.touched {
            let rows = self.organization.into_iter().map(|o| {
                let OrganizationRow {
                    id: organization,
                    domain,
                    name,
                    enabled,
                    scim,
                    created,
                    version,
                    policy,
                    recipients,
                    ..
                } = o;
                Organization {
                    organization,
                    domain,
                    name,
                    enabled,
                    scim,
                    created,
                    version,
                    policy,
                    recipients,
                }
            });
            Organization::upsert(rows.collect(), out)?;
        }
        Ok(())
    }
}

const WORD_BYTES: usize = 1_000;

fn select_organization() -> String {
    let columns = OrganizationRow::list();
    format!(
        "SELECT {columns} FROM organizations o LEFT JOIN checkpoints c ON c.organization = o.organization"
    )
}

/// Reads organizations.
#[derive(Clone)]
pub struct Organizations {
    views: Arc<dyn SqlStore>,
}

impl Organizations {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// All organizations, oldest first.
    pub async fn list(&self) -> Result<Vec<OrganizationRow>, SqlError> {
        read_all(
            self.views
                .query(&format!("{} ORDER BY o.created", select_organization()), Vec::new())
                .await?,
        )
    }

    /// The organization with this slug.
    pub async fn by_domain(&self, domain: &str) -> Result<Option<OrganizationRow>, SqlError> {
        self.one("o.domain", domain.into()).await
    }

    /// The organization with this id.
    pub async fn by_id(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<OrganizationRow>, SqlError> {
        self.one("o.organization", organization.into()).await
    }

    async fn one(&self, column: &str, key: SqlValue) -> Result<Option<OrganizationRow>, SqlError> {
        read_first(
            self.views
                .query(&format!("{} WHERE {column} = $1", select_organization()), vec![key])
                .await?,
        )
    }
}
