//! Organizations and their SCIM tokens: tables, fold, queries.

use crate::bad::Bad;
use crate::cells::{cell, parsed, words};
use crate::checkpoint::Stop;
use crate::columns::{Both, Columns, Stored, columns, read_all, read_first};
use crate::credential::CredentialState;
use crate::page::Page;
use crate::table::{Statement, Table};
use crate::text::{bounded, micros};
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::{ExchangeId, OrganizationId, TokenId};
use rollcall_domain::log::{AggregateKind, Position, Record, RecordedExchange, Version};
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::scim::Policy;
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction, SqlValue};
use serde_json::json;
use std::collections::BTreeMap;
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

words!(ScimState: as_str);
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
        /// Set if its views stopped; then reads may be stale and writes must be refused.
        pub stopped: Option<Stop> = ("c.stopped_at_position", "c.stopped_error"),
    }
}

columns! {
    /// A SCIM token, without its secret.
    #[derive(Clone, Debug, PartialEq)]
    pub struct TokenRow {
        /// SHA-256 of the token, in lower-case hex.
        pub sha256: String,
        /// Whose it is.
        pub organization: OrganizationId,
        /// Names it.
        pub id: TokenId,
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
        /// When it last authenticated an exchange that is folded.
        pub last_used: Option<DateTime<Utc>>,
        /// That exchange.
        pub last_used_exchange: Option<ExchangeId>,
    }

    /// One row for each SCIM token ever issued; `seq` is the position at which it was.
    pub table TOKENS = "tokens" {
        key: ["sha256"],
        indexes: [["organization", "id"], ["organization", "seq"]],
        order: "seq",
    }
}

impl TokenRow {
    /// Whether it is let in.
    pub fn state(&self, now: DateTime<Utc>) -> CredentialState {
        CredentialState::at(now, self.expires, self.revoked)
    }
}

/// The organization rows that a page touches.
#[derive(Debug)]
pub(crate) struct Settings {
    of: OrganizationId,
    organization: Option<OrganizationRow>,
    tokens: BTreeMap<TokenId, TokenRow>,
    touched: bool,
    used: BTreeMap<TokenId, (DateTime<Utc>, ExchangeId)>,
}

impl View for Settings {
    const NAME: &'static str = "organizations";
    const REVISION: u32 = 1;
    const TABLES: &'static [&'static Table] = &[&ORGANIZATIONS, &TOKENS];

    /// Reads the organization and its tokens if a record changes them.
    async fn fetch(tx: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        let of = page.organization;
        let mut settings = Self { of, organization: None, tokens: BTreeMap::new(), touched: false, used: BTreeMap::new() };
        if page.of(AggregateKind::Organization).all(|record| record.version == 1) {
            return Ok(settings);
        }
        let sql = format!("{} WHERE o.organization = $1", select_organization());
        settings.organization = read_first(tx.query(&sql, vec![of.into()]).await?)?;
        let sql = format!("SELECT {} FROM tokens WHERE organization = $1", TokenRow::list());
        let tokens = read_all::<TokenRow>(tx.query(&sql, vec![of.into()]).await?)?;
        settings.tokens.extend(tokens.into_iter().map(|token| (token.id, token)));
        Ok(settings)
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        let DomainEvent::Organization(event) = event else { return Ok(()) };
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
                stopped: None,
            });
            return Ok(());
        }
        let Some(row) = self.organization.as_mut() else {
            return Err(Bad::new("changed although it does not exist"));
        };
        if row.version + 1 != record.version {
            return Err(Bad::new(format!("is version {} of its stream, but the row is at version {}", record.version, row.version)));
        }
        row.version = record.version;
        match event {
            OrganizationEvent::Created { .. } => {}
            OrganizationEvent::Disabled {} => row.enabled = false,
            OrganizationEvent::Enabled {} => row.enabled = true,
            OrganizationEvent::ScimEnabled {} => row.scim = ScimState::Enabled,
            OrganizationEvent::ScimDisabled {} => row.scim = ScimState::Disabled,
            OrganizationEvent::ScimPolicySet { policy } => row.policy = policy.clone(),
            OrganizationEvent::ScimTokenIssued { token, sha256, label, expires_at } => {
                let issued = TokenRow {
                    sha256: sha256.clone(),
                    organization: record.stream.organization,
                    id: *token,
                    seq: record.position,
                    label: bounded(label, WORD_BYTES),
                    issued: record.recorded_at,
                    expires: *expires_at,
                    revoked: None,
                    last_used: None,
                    last_used_exchange: None,
                };
                if self.tokens.insert(*token, issued).is_some() {
                    return Err(Bad::new("issues a token a second time"));
                }
            }
            OrganizationEvent::ScimTokenRevoked { token } => {
                let row = self.tokens.get_mut(token).ok_or_else(|| Bad::new("revokes a token that was never issued"))?;
                row.revoked = Some(record.recorded_at);
            }
            // The SAML connection has a view of its own.
            _ => {}
        }
        Ok(())
    }

    /// Notes which token an exchange came with.
    fn exchange(&mut self, recorded: &RecordedExchange) -> Result<(), Bad> {
        if let Actor::ScimToken { token } = recorded.exchange.caller {
            self.used.insert(token, (recorded.exchange.received_at, recorded.exchange.id));
        }
        Ok(())
    }

    /// Uses come last, onto rows that are there by then.
    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        if self.touched {
            let rows = self.organization.into_iter().map(|o| {
                let OrganizationRow { id: organization, domain, name, enabled, scim, created, version, policy, .. } = o;
                Organization { organization, domain, name, enabled, scim, created, version, policy }
            });
            Organization::upsert(rows.collect(), out)?;
            TokenRow::upsert(self.tokens.into_values().collect(), out)?;
        }
        for (token, (at, exchange)) in self.used {
            let sql = "UPDATE tokens SET last_used = $1, last_used_exchange = $2 WHERE organization = $3 AND id = $4";
            let params = vec![micros(at).into(), exchange.to_string().into(), self.of.into(), token.to_string().into()];
            out.push((sql.to_owned(), params));
        }
        Ok(())
    }
}

const WORD_BYTES: usize = 1_000;

fn select_organization() -> String {
    let columns = OrganizationRow::list();
    format!("SELECT {columns} FROM organizations o LEFT JOIN checkpoints c ON c.organization = o.organization")
}

/// Reads organizations and tokens.
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
        read_all(self.views.query(&format!("{} ORDER BY o.created", select_organization()), Vec::new()).await?)
    }

    /// The organization with this slug.
    pub async fn by_domain(&self, domain: &str) -> Result<Option<OrganizationRow>, SqlError> {
        self.one("o.domain", domain.into()).await
    }

    /// The organization with this id.
    pub async fn by_id(&self, organization: OrganizationId) -> Result<Option<OrganizationRow>, SqlError> {
        self.one("o.organization", organization.into()).await
    }

    async fn one(&self, column: &str, key: SqlValue) -> Result<Option<OrganizationRow>, SqlError> {
        read_first(self.views.query(&format!("{} WHERE {column} = $1", select_organization()), vec![key]).await?)
    }

    /// The token with this SHA-256 (lower-case hex) and its organization: all that
    /// authentication asks, in one query. Whether it is let in is for [`TokenRow::state`] to say.
    pub async fn token(&self, sha256: &str) -> Result<Option<(TokenRow, OrganizationRow)>, SqlError> {
        let sql = format!(
            "SELECT {}, {} FROM tokens t \
             JOIN organizations o ON o.organization = t.organization \
             LEFT JOIN checkpoints c ON c.organization = t.organization WHERE t.sha256 = $1",
            TokenRow::list_of("t"),
            OrganizationRow::list()
        );
        Ok(read_first::<Both<_, _>>(self.views.query(&sql, vec![sha256.into()]).await?)?
            .map(|Both(token, organization)| (token, organization)))
    }

    /// An organization's tokens, revoked and expired ones too, in the order of issue.
    pub async fn tokens(&self, organization: OrganizationId) -> Result<Vec<TokenRow>, SqlError> {
        let sql = format!("SELECT {} FROM tokens WHERE organization = $1 ORDER BY seq", TokenRow::list());
        read_all(self.views.query(&sql, vec![organization.into()]).await?)
    }
}
