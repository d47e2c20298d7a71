//! Credentials of all kinds: table, fold, queries. Part of the family that is folded at once, so
//! that a revoked one is refused from then on, by every process.

use crate::bad::Bad;
use crate::cells::{cell, parsed, words};
use crate::columns::{Both, Columns, Stored, columns, read_all, read_first};
use crate::credential::CredentialState;
use crate::live::organizations::OrganizationRow;
use crate::page::Page;
use crate::table::{Statement, Table, key_lists, numbered, with};
use crate::text::{bounded, micros};
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::{CredentialEvent, CredentialSecretAdded, Proof, Purpose, Secret};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::{CredentialId, ExchangeId, OrganizationId};
use rollcall_domain::log::{AggregateKind, Position, Record, RecordedExchange};
use rollcall_domain::organization::{OrganizationEventKind, credential};
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction, SqlValue};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const LABEL_BYTES: usize = 1_000;

/// So much of a secret's SHA-256 says which of two it is, in hex digits.
const SECRET_DIGITS: usize = 16;

/// The secrets of a client that were not retired, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secrets(pub Vec<Secret>);

words!(Purpose: as_str);
cell!(Secrets as String, |secrets| Ok(json!(secrets).to_string()), parsed);
cell!(Proof as String, |proof| Ok(json!(proof).to_string()), parsed);
cell!(Actor as String, |actor| Ok(json!(actor).to_string()), parsed);

columns! {
    /// A credential, without its secret.
    #[derive(Clone, Debug, PartialEq)]
    pub struct CredentialRow {
        /// Whom it lets in where; [`OrganizationId::NONE`] for operators.
        pub organization: OrganizationId,
        /// Names it.
        pub id: CredentialId,
        /// Position at which it was issued.
        pub(crate) seq: Position,
        /// What it lets its holder do.
        pub purpose: Purpose,
        /// SHA-256 of the bearer token, in lower-case hex; absent for what is proved otherwise.
        pub(crate) sha256: Option<String>,
        /// How its holder proves to be it.
        pub proof: Proof,
        /// What a client exchanges for access tokens; empty for what is proved otherwise.
        pub secrets: Secrets,
        /// Whom or what it is for.
        pub label: String,
        /// Who made it.
        pub made_by: Actor,
        /// When it was issued.
        pub issued: DateTime<Utc>,
        /// From when on it is refused; of a client with two secrets, from when on the later one is.
        pub expires: Option<DateTime<Utc>>,
        /// When it was revoked.
        pub revoked: Option<DateTime<Utc>>,
        /// When it first let somebody in, as far as exchanges are folded.
        pub first_used: Option<DateTime<Utc>>,
        /// By which exchange.
        pub first_used_exchange: Option<ExchangeId>,
        /// When it last did, to the minute: by the first exchange of that minute.
        pub last_used: Option<DateTime<Utc>>,
        /// By which exchange.
        pub last_used_exchange: Option<ExchangeId>,
        /// The beginning of the SHA-256 of the secret that was last exchanged for an access token.
        pub last_secret: Option<String>,
    }

    /// One row for each credential ever issued; `seq` is the position at which it was.
    pub table CREDENTIALS = "credentials" {
        key: ["organization", "id"],
        indexes: [["sha256"], ["id"], ["organization", "seq"]],
        order: "seq",
    }
}

impl CredentialRow {
    /// Whether it is let in.
    pub fn state(&self, now: DateTime<Utc>) -> CredentialState {
        CredentialState::at(now, self.expires, self.revoked)
    }

    /// The live secret whose SHA-256 begins so.
    pub fn live_secret(&self, sha256: &str, now: DateTime<Utc>) -> Option<&Secret> {
        let is_it = |secret: &&Secret| secret.sha256.starts_with(sha256) && secret.is_live(now);
        self.secrets.0.iter().find(is_it)
    }

    /// Which of its secrets one is.
    pub fn secret_name(sha256: &str) -> &str {
        sha256.get(..SECRET_DIGITS).unwrap_or(sha256)
    }

    /// It ends with the later one of its secrets.
    fn take_secrets(&mut self, change: impl FnOnce(&mut Vec<Secret>)) {
        change(&mut self.secrets.0);
        let ends = self.secrets.0.iter().map(|secret| secret.expires_at);
        self.expires = ends.collect::<Option<Vec<_>>>().and_then(|ends| ends.into_iter().max());
    }

    fn issued(record: &Record, event: rollcall_domain::credential::CredentialIssued) -> Self {
        Self {
            organization: record.stream.organization,
            id: event.credential,
            seq: record.position,
            purpose: event.purpose,
            sha256: bearer(&event.proof),
            secrets: Secrets(first_secret(&event.proof, event.expires_at).into_iter().collect()),
            proof: event.proof,
            label: bounded(&event.label, LABEL_BYTES),
            made_by: record.actor.clone(),
            issued: record.recorded_at,
            expires: event.expires_at,
            revoked: None,
            first_used: None,
            first_used_exchange: None,
            last_used: None,
            last_used_exchange: None,
            last_secret: None,
        }
    }
}

/// What finds a credential by the token that was sent. A client secret is not sent with requests.
fn bearer(proof: &Proof) -> Option<String> {
    match proof {
        Proof::Token { sha256 } => Some(sha256.clone()),
        Proof::ClientSecret { .. } | Proof::PrivateKeyJwt { .. } | Proof::Federated { .. } => None,
    }
}

fn first_secret(proof: &Proof, expires_at: Option<DateTime<Utc>>) -> Option<Secret> {
    let Proof::ClientSecret { sha256 } = proof else { return None };
    Some(Secret { sha256: sha256.clone(), expires_at, warned: None })
}

/// The uses of a credential in a page of exchanges.
#[derive(Debug)]
struct Used {
    first: (DateTime<Utc>, ExchangeId),
    last: (DateTime<Utc>, ExchangeId),
    secret: Option<String>,
}

/// What a page does to credentials.
#[derive(Debug)]
pub(crate) struct Keys {
    organization: OrganizationId,
    rows: BTreeMap<CredentialId, CredentialRow>,
    touched: bool,
    /// When each was last used, of those that the page's exchanges came with.
    known_uses: BTreeMap<CredentialId, Option<DateTime<Utc>>>,
    uses: BTreeMap<CredentialId, Used>,
}

columns! {
    struct LastUse { id: CredentialId, last_used: Option<DateTime<Utc>> }
}

/// The credential that an exchange came with, if it is a row of the exchange's organization.
fn used_by(recorded: &RecordedExchange) -> Option<CredentialId> {
    match &recorded.exchange.caller {
        Actor::ScimToken { token } => Some((*token).into()),
        Actor::Auditor { auditor } => Some((*auditor).into()),
        Actor::Admin { admin, .. } => Some(*admin),
        Actor::Consumer { key, .. } => Some(*key),
        // Operators come with theirs to every organization; it is a row of none.
        Actor::NamedOperator { .. } | Actor::LocalOperator { .. } | Actor::Operator => None,
        Actor::Unauthenticated | Actor::User { .. } | Actor::System => None,
    }
}

impl View for Keys {
    const NAME: &'static str = "credentials";
    const REVISION: u32 = 2;
    const TABLES: &'static [&'static Table] = &[&CREDENTIALS];

    /// Reads the organization's credentials if a record may change them, and when those were last
    /// used that exchanges came with.
    async fn fetch(tx: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        let mut keys = Self {
            organization: page.organization,
            rows: BTreeMap::new(),
            touched: false,
            known_uses: BTreeMap::new(),
            uses: BTreeMap::new(),
        };
        let concerns = |record: &Record| {
            OrganizationEventKind::named(&record.event_type)
                .is_some_and(|kind| kind.concerns_credentials())
        };
        if page.of(AggregateKind::Organization).any(concerns)
            || page.of(AggregateKind::Deployment).next().is_some()
            || page.of(AggregateKind::Consumer).next().is_some()
        {
            let rows = read_all::<CredentialRow>(
                tx.query(&of_organization(), vec![page.organization.into()]).await?,
            )?;
            keys.rows.extend(rows.into_iter().map(|row| (row.id, row)));
        }
        let used: BTreeSet<CredentialId> =
            page.exchanges.iter().filter_map(|x| used_by(x)).collect();
        let used: Vec<SqlValue> = used.iter().map(|id| id.to_string().into()).collect();
        for ids in key_lists(&used) {
            let sql = format!(
                "SELECT {} FROM credentials WHERE organization = $1 AND id IN ({})",
                LastUse::list(),
                numbered(2, ids.len())
            );
            let rows = tx.query(&sql, with(page.organization.into(), ids)).await?;
            let rows = read_all::<LastUse>(rows)?.into_iter();
            keys.known_uses.extend(rows.map(|row| (row.id, row.last_used)));
        }
        Ok(keys)
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        let event = match event {
            DomainEvent::Organization(event) => match credential(event) {
                Some(event) => event,
                None => return Ok(()),
            },
            DomainEvent::Deployment(event) => match event.clone().of_credential() {
                Some(event) => event,
                None => return Ok(()),
            },
            DomainEvent::Consumer(event) => match event.credential() {
                Some(event) => event,
                None => return Ok(()),
            },
            DomainEvent::User(_) | DomainEvent::Group(_) | DomainEvent::Lost(_) => return Ok(()),
        };
        self.touched = true;
        match event {
            CredentialEvent::Issued(event) => {
                let row = CredentialRow::issued(record, event);
                if self.rows.insert(row.id, row).is_some() {
                    return Err(Bad::new("issues a credential a second time"));
                }
            }
            CredentialEvent::ProofChanged(event) => {
                let row = self.known(event.credential)?;
                (row.sha256, row.proof) = (bearer(&event.proof), event.proof);
            }
            CredentialEvent::Revoked(event) => {
                self.known(event.credential)?.revoked = Some(record.recorded_at)
            }
            CredentialEvent::SecretAdded(event) => {
                let CredentialSecretAdded { credential, sha256, expires_at } = event;
                let secret = Secret { sha256, expires_at, warned: None };
                self.known(credential)?.take_secrets(|secrets| secrets.push(secret));
            }
            CredentialEvent::SecretRetired(event) => self
                .known(event.credential)?
                .take_secrets(|secrets| secrets.retain(|s| s.sha256 != event.sha256)),
            // Uses are folded from exchanges, and ends follow from the clock.
            CredentialEvent::FirstUsed(_)
            | CredentialEvent::Expiring(_)
            | CredentialEvent::Ended(_) => {}
        }
        Ok(())
    }

    /// Notes which credential an exchange came with, once a minute: a busy client would have its
    /// row written with every request.
    fn exchange(&mut self, recorded: &RecordedExchange) -> Result<(), Bad> {
        let Some(credential) = used_by(recorded) else { return Ok(()) };
        let (at, id) = (recorded.exchange.received_at, recorded.exchange.id);
        let asked = recorded.exchange.facts.token_request.as_ref();
        let secret = asked.and_then(|asked| asked.secret.clone());
        let known = self.known_uses.entry(credential).or_default();
        // Which secret it was is asked before one is retired: that is never left out.
        if secret.is_some() || known.is_none_or(|last| minute(at) > minute(last)) {
            *known = Some(at);
            let first = Used { first: (at, id), last: (at, id), secret: None };
            let used = self.uses.entry(credential).or_insert(first);
            used.last = (at, id);
            used.secret = secret.or(used.secret.take());
        }
        Ok(())
    }

    /// Uses come last, onto rows that are there by then.
    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        if self.touched {
            CredentialRow::upsert(self.rows.into_values().collect(), out)?;
        }
        for (credential, Used { first, last, secret }) in self.uses {
            let sql = "UPDATE credentials SET first_used = COALESCE(first_used, $1), \
                       first_used_exchange = COALESCE(first_used_exchange, $2), last_used = $3, last_used_exchange = $4, \
                       last_secret = COALESCE($5, last_secret) WHERE organization = $6 AND id = $7";
            let params: Vec<SqlValue> = vec![
                micros(first.0).into(),
                first.1.to_string().into(),
                micros(last.0).into(),
                last.1.to_string().into(),
                SqlValue::Text(secret),
                self.organization.into(),
                credential.to_string().into(),
            ];
            out.push((sql.to_owned(), params));
        }
        Ok(())
    }
}

impl Keys {
    fn known(&mut self, credential: CredentialId) -> Result<&mut CredentialRow, Bad> {
        self.rows
            .get_mut(&credential)
            .ok_or_else(|| Bad::new("is about a credential that was never issued"))
    }
}

fn minute(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(60)
}

fn of_organization() -> String {
    format!(
        "SELECT {} FROM credentials WHERE organization = $1 ORDER BY seq",
        CredentialRow::list()
    )
}

/// Reads credentials.
#[derive(Clone)]
pub struct CredentialView {
    views: Arc<dyn SqlStore>,
}

impl CredentialView {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// The credential whose bearer token has this SHA-256 (lower-case hex). Whether it is let in,
    /// and to what, is for the row to say.
    pub async fn bearer(&self, sha256: &str) -> Result<Option<CredentialRow>, SqlError> {
        let sql = format!("SELECT {} FROM credentials WHERE sha256 = $1", CredentialRow::list());
        read_first(self.views.query(&sql, vec![sha256.into()]).await?)
    }

    /// The same with its organization: all that authentication asks, in one query.
    pub async fn bearer_of_organization(
        &self,
        sha256: &str,
    ) -> Result<Option<(CredentialRow, OrganizationRow)>, SqlError> {
        self.with_organization("k.sha256 = $1", sha256.into()).await
    }

    /// A credential by its id, which is the client id of one that asks for access tokens, with its
    /// organization.
    pub async fn client_of_organization(
        &self,
        credential: CredentialId,
    ) -> Result<Option<(CredentialRow, OrganizationRow)>, SqlError> {
        self.with_organization("k.id = $1", credential.to_string().into()).await
    }

    async fn with_organization(
        &self,
        which: &str,
        value: SqlValue,
    ) -> Result<Option<(CredentialRow, OrganizationRow)>, SqlError> {
        let sql = format!(
            "SELECT {}, {} FROM credentials k \
             JOIN organizations o ON o.organization = k.organization \
             LEFT JOIN checkpoints c ON c.organization = k.organization WHERE {which}",
            CredentialRow::list_of("k"),
            OrganizationRow::list()
        );
        let mut found = read_all::<Both<_, _>>(self.views.query(&sql, vec![value]).await?)?;
        // Who it is that shows something must never depend on the order of rows: what two
        // organizations call theirs lets nobody in.
        let only = if found.len() == 1 { found.pop() } else { None };
        Ok(only.map(|Both(credential, organization)| (credential, organization)))
    }

    /// All credentials for one purpose that were not revoked, of all organizations.
    pub async fn not_revoked(&self, purpose: Purpose) -> Result<Vec<CredentialRow>, SqlError> {
        let sql = format!(
            "SELECT {} FROM credentials WHERE purpose = $1 AND revoked IS NULL ORDER BY organization, seq",
            CredentialRow::list()
        );
        read_all(self.views.query(&sql, vec![purpose.as_str().into()]).await?)
    }

    /// An organization's credentials for one purpose, revoked and expired ones too, in the order of
    /// issue.
    pub async fn list(
        &self,
        organization: OrganizationId,
        purpose: Purpose,
    ) -> Result<Vec<CredentialRow>, SqlError> {
        let all = read_all::<CredentialRow>(
            self.views.query(&of_organization(), vec![organization.into()]).await?,
        )?;
        Ok(all.into_iter().filter(|row| row.purpose == purpose).collect())
    }
}
