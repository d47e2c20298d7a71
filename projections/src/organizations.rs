//! Organizations and their SCIM tokens: tables, fold, queries.

use crate::checkpoint::Stop;
use crate::credential::CredentialState;
use crate::page::Bad;
use crate::table::{Statement, Table, int, optional_int, optional_text, text};
use crate::text::{bounded, count, id, instant, micros};
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::ids::{ExchangeId, OrganizationId, TokenId};
use rollcall_domain::log::{AggregateKind, Record, RecordedExchange};
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::scim::Policy;
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore, SqlTransaction, SqlValue};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One row for each organization.
pub const ORGANIZATIONS: Table = Table {
    name: "organizations",
    columns: &[
        text("organization"),
        text("domain"),
        text("name"),
        int("enabled"),
        text("scim"),
        int("created"),
        int("version"),
        text("policy"),
    ],
    key: &["organization"],
    indexes: &[&["domain"]],
    order: "version",
};

/// One row for each SCIM token ever issued; `seq` is the position at which it was.
pub const TOKENS: Table = Table {
    name: "tokens",
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
        optional_text("last_used_exchange"),
    ],
    key: &["sha256"],
    indexes: &[&["organization", "id"], &["organization", "seq"]],
    order: "seq",
};

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
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            ScimState::Never => "never",
            ScimState::Enabled => "enabled",
            ScimState::Disabled => "disabled",
        }
    }

    fn parse(text: &str) -> Result<Self, SqlError> {
        let found = [ScimState::Never, ScimState::Enabled, ScimState::Disabled].into_iter().find(|s| s.as_str() == text);
        found.ok_or_else(|| SqlError::Shape(format!("{text} is no state of a SCIM connection")))
    }
}

/// An organization.
#[derive(Clone, Debug, PartialEq)]
pub struct OrganizationRow {
    /// Its id.
    pub id: OrganizationId,
    /// Its slug.
    pub domain: String,
    /// Its name for people.
    pub name: String,
    /// False if the operator switched it off.
    pub enabled: bool,
    /// Its SCIM connection.
    pub scim: ScimState,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// Number of its events.
    pub version: u64,
    /// What its SCIM connection asks of its client.
    pub policy: Policy,
    /// Set if its views stopped; then reads may be stale and writes must be refused.
    pub stopped: Option<Stop>,
}

/// A SCIM token, without its secret.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRow {
    /// SHA-256 of the token, in lower-case hex.
    pub sha256: String,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Names it.
    pub id: TokenId,
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
    seq: u64,
}

impl TokenRow {
    /// Whether it is let in.
    pub fn state(&self, now: DateTime<Utc>) -> CredentialState {
        CredentialState::at(now, self.expires, self.revoked)
    }
}

/// The organization rows that a page of records touches.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    organization: Option<OrganizationRow>,
    tokens: BTreeMap<TokenId, TokenRow>,
    touched: bool,
    used: BTreeMap<TokenId, (DateTime<Utc>, ExchangeId)>,
}

impl Settings {
    /// Reads the organization and its tokens if a record changes them.
    pub async fn fetch(tx: &mut dyn SqlTransaction, organization: OrganizationId, records: &[Record]) -> Result<Self, SqlError> {
        let mut settings = Self::default();
        if !records.iter().any(|r| r.stream.kind == AggregateKind::Organization && r.version > 1) {
            return Ok(settings);
        }
        let sql = format!("{SELECT_ORGANIZATION} WHERE o.organization = $1");
        let rows = tx.query(&sql, vec![organization.into()]).await?;
        settings.organization = rows.first().map(|row| organization_row(row, 0)).transpose()?;
        let sql = format!("SELECT {TOKEN_COLUMNS} FROM tokens t WHERE t.organization = $1");
        for row in tx.query(&sql, vec![organization.into()]).await? {
            let token = token_row(&row, 0)?;
            settings.tokens.insert(token.id, token);
        }
        Ok(settings)
    }

    /// Folds one event.
    pub fn apply(&mut self, record: &Record, event: OrganizationEvent) -> Result<(), Bad> {
        self.touched = true;
        if let OrganizationEvent::Created { name, domain } = event {
            if self.organization.is_some() {
                return Err(Bad::new("created although it exists"));
            }
            self.organization = Some(OrganizationRow {
                id: record.stream.organization,
                domain: bounded(&domain, WORD_BYTES),
                name: bounded(&name, WORD_BYTES),
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
            OrganizationEvent::ScimPolicySet { policy } => row.policy = policy,
            OrganizationEvent::ScimTokenIssued { token, sha256, label, expires_at } => {
                let issued = TokenRow {
                    sha256,
                    organization: record.stream.organization,
                    id: token,
                    label: bounded(&label, WORD_BYTES),
                    issued: record.recorded_at,
                    expires: expires_at,
                    revoked: None,
                    last_used: None,
                    last_used_exchange: None,
                    seq: record.position,
                };
                if self.tokens.insert(token, issued).is_some() {
                    return Err(Bad::new("issues a token a second time"));
                }
            }
            OrganizationEvent::ScimTokenRevoked { token } => {
                let row = self.tokens.get_mut(&token).ok_or_else(|| Bad::new("revokes a token that was never issued"))?;
                row.revoked = Some(record.recorded_at);
            }
            // The SAML connection has a view of its own.
            _ => {}
        }
        Ok(())
    }

    /// Notes which token an exchange came with.
    pub fn exchange(&mut self, recorded: &RecordedExchange) {
        if let Actor::ScimToken { token } = recorded.exchange.caller {
            self.used.insert(token, (recorded.exchange.received_at, recorded.exchange.id));
        }
    }

    /// The statements. Uses come last, onto rows that are there by then.
    pub fn flush(self, organization: OrganizationId, out: &mut Vec<Statement>) {
        if self.touched {
            let rows = self.organization.into_iter().map(|o| {
                let (scim, policy) = (o.scim.as_str().into(), json!(o.policy).to_string().into());
                let (created, version) = (micros(o.created).into(), o.version.into());
                vec![o.id.into(), o.domain.into(), o.name.into(), o.enabled.into(), scim, created, version, policy]
            });
            ORGANIZATIONS.upsert(rows.collect(), out);
            TOKENS.upsert(self.tokens.into_values().map(token_values).collect(), out);
        }
        for (token, (at, exchange)) in self.used {
            let sql = "UPDATE tokens SET last_used = $1, last_used_exchange = $2 WHERE organization = $3 AND id = $4";
            let params = vec![micros(at).into(), exchange.to_string().into(), organization.into(), token.to_string().into()];
            out.push((sql.to_owned(), params));
        }
    }
}

const WORD_BYTES: usize = 1_000;
const ORGANIZATION_COLUMNS: &str =
    "o.organization, o.domain, o.name, o.enabled, o.scim, o.created, o.version, o.policy, c.stopped_at_position, c.stopped_error";
const SELECT_ORGANIZATION: &str = "SELECT o.organization, o.domain, o.name, o.enabled, o.scim, o.created, o.version, o.policy, \
     c.stopped_at_position, c.stopped_error FROM organizations o LEFT JOIN checkpoints c ON c.organization = o.organization";
const TOKEN_COLUMNS: &str =
    "t.sha256, t.organization, t.id, t.seq, t.label, t.issued, t.expires, t.revoked, t.last_used, t.last_used_exchange";

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
        let rows = self.views.query(&format!("{SELECT_ORGANIZATION} ORDER BY o.created"), Vec::new()).await?;
        rows.iter().map(|row| organization_row(row, 0)).collect()
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
        let rows = self.views.query(&format!("{SELECT_ORGANIZATION} WHERE {column} = $1"), vec![key]).await?;
        rows.first().map(|row| organization_row(row, 0)).transpose()
    }

    /// The token with this SHA-256 (lower-case hex) and its organization: all that
    /// authentication asks, in one query. Whether it is let in is for [`TokenRow::state`] to say.
    pub async fn token(&self, sha256: &str) -> Result<Option<(TokenRow, OrganizationRow)>, SqlError> {
        let sql = format!(
            "SELECT {TOKEN_COLUMNS}, {ORGANIZATION_COLUMNS} FROM tokens t \
             JOIN organizations o ON o.organization = t.organization \
             LEFT JOIN checkpoints c ON c.organization = t.organization WHERE t.sha256 = $1"
        );
        let rows = self.views.query(&sql, vec![sha256.into()]).await?;
        rows.first().map(|row| Ok((token_row(row, 0)?, organization_row(row, TOKENS.columns.len())?))).transpose()
    }

    /// An organization's tokens, revoked and expired ones too, in the order of issue.
    pub async fn tokens(&self, organization: OrganizationId) -> Result<Vec<TokenRow>, SqlError> {
        let sql = format!("SELECT {TOKEN_COLUMNS} FROM tokens t WHERE t.organization = $1 ORDER BY t.seq");
        let rows = self.views.query(&sql, vec![organization.into()]).await?;
        rows.iter().map(|row| token_row(row, 0)).collect()
    }
}

fn organization_row(row: &SqlRow, at: usize) -> Result<OrganizationRow, SqlError> {
    let stopped = match row.optional_int(at + 8)? {
        None => None,
        Some(position) => Some(Stop { position: count(position)?, error: row.optional_text(at + 9)?.unwrap_or_default().to_owned() }),
    };
    Ok(OrganizationRow {
        id: id(row.text(at)?)?,
        domain: row.text(at + 1)?.to_owned(),
        name: row.text(at + 2)?.to_owned(),
        enabled: row.int(at + 3)? != 0,
        scim: ScimState::parse(row.text(at + 4)?)?,
        created: instant(row.int(at + 5)?)?,
        version: count(row.int(at + 6)?)?,
        policy: serde_json::from_str(row.text(at + 7)?).map_err(|_| SqlError::Shape("a policy cannot be read".to_owned()))?,
        stopped,
    })
}

fn token_row(row: &SqlRow, at: usize) -> Result<TokenRow, SqlError> {
    let instant_at = |i: usize| row.optional_int(at + i)?.map(instant).transpose();
    Ok(TokenRow {
        sha256: row.text(at)?.to_owned(),
        organization: id(row.text(at + 1)?)?,
        id: id(row.text(at + 2)?)?,
        seq: count(row.int(at + 3)?)?,
        label: row.text(at + 4)?.to_owned(),
        issued: instant(row.int(at + 5)?)?,
        expires: instant_at(6)?,
        revoked: instant_at(7)?,
        last_used: instant_at(8)?,
        last_used_exchange: row.optional_text(at + 9)?.map(id).transpose()?,
    })
}

fn token_values(token: TokenRow) -> Vec<SqlValue> {
    vec![
        token.sha256.into(),
        token.organization.into(),
        token.id.to_string().into(),
        token.seq.into(),
        token.label.into(),
        micros(token.issued).into(),
        token.expires.map(micros).into(),
        token.revoked.map(micros).into(),
        token.last_used.map(micros).into(),
        token.last_used_exchange.map(|x| x.to_string()).into(),
    ]
}
