//! Credentials of all kinds: table, fold, queries. Part of the family that is folded at once, so
//! that a revoked one is refused from then on, by every process.

use crate::bad::Bad;
use crate::cells::{cell, parsed, words};
use crate::columns::{Both, Columns, Stored, columns, read_all, read_first};
use crate::credential::CredentialState;
use crate::organizations::OrganizationRow;
use crate::page::Page;
use crate::table::{Statement, Table, key_lists, numbered, with};
use crate::text::{bounded, micros};
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::{CredentialEvent, Proof, Purpose};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::{CredentialId, ExchangeId, OrganizationId};
use rollcall_domain::log::{AggregateKind, Position, Record, RecordedExchange};
use rollcall_domain::organization::{OrganizationEventKind, credential};
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction, SqlValue};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const LABEL_BYTES: usize = 1_000;

words!(Purpose: as_str);
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
        /// Whom or what it is for.
        pub label: String,
        /// Who made it.
        pub made_by: Actor,
        /// When it was issued.
        pub issued: DateTime<Utc>,
        /// From when on it is refused.
        pub expires: Option<DateTime<Utc>>,
        /// When it was revoked.
        pub revoked: Option<DateTime<Utc>>,
        /// When it first let somebody in, as far as exchanges are folded.
        pub first_used: Option<DateTime<Utc>>,
        /// When it last did, to the minute: by the first exchange of that minute.
        pub last_used: Option<DateTime<Utc>>,
        /// By which exchange.
        pub last_used_exchange: Option<ExchangeId>,
    }

    /// One row for each credential ever issued; `seq` is the position at which it was.
    pub table CREDENTIALS = "credentials" {
        key: ["organization", "id"],
        indexes: [["sha256"], ["organization", "seq"]],
        order: "seq",
    }
}

impl CredentialRow {
    /// Whether it is let in.
    pub fn state(&self, now: DateTime<Utc>) -> CredentialState {
        CredentialState::at(now, self.expires, self.revoked)
    }

    fn issued(record: &Record, event: rollcall_domain::credential::CredentialIssued) -> Self {
        Self {
            organization: record.stream.organization,
            id: event.credential,
            seq: record.position,
            purpose: event.purpose,
            sha256: bearer(&event.proof),
            proof: event.proof,
            label: bounded(&event.label, LABEL_BYTES),
            made_by: record.actor.clone(),
            issued: record.recorded_at,
            expires: event.expires_at,
            revoked: None,
            first_used: None,
            last_used: None,
            last_used_exchange: None,
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

/// What a page does to credentials.
#[derive(Debug)]
pub(crate) struct Keys {
    organization: OrganizationId,
    rows: BTreeMap<CredentialId, CredentialRow>,
    touched: bool,
    /// When each was last used, of those that the page's exchanges came with.
    known_uses: BTreeMap<CredentialId, Option<DateTime<Utc>>>,
    uses: BTreeMap<CredentialId, Uses>,
}

/// The first and the last use that a page adds to a credential.
#[derive(Clone, Copy, Debug)]
struct Uses {
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    exchange: ExchangeId,
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
        Actor::NamedOperator { .. } | Actor::Operator => None,
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
            DomainEvent::Deployment(event) => event.clone().into(),
            DomainEvent::Consumer(event) => match event.credential() {
                Some(event) => event,
                None => return Ok(()),
            },
            DomainEvent::User(_) | DomainEvent::Group(_) => return Ok(()),
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
            CredentialEvent::FirstUsed(_)
            | CredentialEvent::SecretAdded(_)
            | CredentialEvent::SecretRetired(_)
            | CredentialEvent::Noticed => {}
        }
        Ok(())
    }

    /// Notes which credential an exchange came with, once a minute: a busy client would have its
    /// row written with every request.
    fn exchange(&mut self, recorded: &RecordedExchange) -> Result<(), Bad> {
        let Some(credential) = used_by(recorded) else { return Ok(()) };
        let (at, exchange) = (recorded.exchange.received_at, recorded.exchange.id);
        let known = self.known_uses.entry(credential).or_default();
        if known.is_none_or(|last| minute(at) > minute(last)) {
            *known = Some(at);
            let uses =
                self.uses.entry(credential).or_insert(Uses { first: at, last: at, exchange });
            (uses.last, uses.exchange) = (at, exchange);
        }
        Ok(())
    }

    /// Uses come last, onto rows that are there by then.
    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        if self.touched {
            CredentialRow::upsert(self.rows.into_values().collect(), out)?;
        }
        for (credential, Uses { first, last, exchange }) in self.uses {
            let sql = "UPDATE credentials SET first_used = COALESCE(first_used, $1), last_used = $2, last_used_exchange = $3 \
                       WHERE organization = $4 AND id = $5";
            let (first, last) = (micros(first).into(), micros(last).into());
            let of = (self.organization.into(), credential.to_string().into());
            out.push((sql.to_owned(), vec![first, last, exchange.to_string().into(), of.0, of.1]));
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
        let sql = format!(
            "SELECT {}, {} FROM credentials k \
             JOIN organizations o ON o.organization = k.organization \
             LEFT JOIN checkpoints c ON c.organization = k.organization WHERE k.sha256 = $1",
            CredentialRow::list_of("k"),
            OrganizationRow::list()
        );
        let found = read_first::<Both<_, _>>(self.views.query(&sql, vec![sha256.into()]).await?)?;
        Ok(found.map(|Both(credential, organization)| (credential, organization)))
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
