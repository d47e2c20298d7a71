//! Logins: every attempt, accepted or refused, and why. Table, fold, queries.

use crate::bad::Bad;
use crate::columns::{Columns, Stored, columns, read_all, read_first};
use crate::page::Page;
use crate::table::{Statement, Table};
use crate::text::bounded;
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId, SessionId};
use rollcall_domain::log::{Position, Record};
use rollcall_domain::login::{Attempt, Drift, RefusedLogin};
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction, SqlValue};
use rollcall_domain::user::UserEvent;
use std::sync::Arc;

const WORD_BYTES: usize = 500;

columns! {
    /// An attempt to sign in.
    #[derive(Clone, Debug, PartialEq)]
    pub struct LoginRow {
        /// Whose data it is.
        pub organization: OrganizationId,
        /// Position of its event.
        pub seq: Position,
        /// The exchange.
        pub exchange: Option<ExchangeId>,
        /// When.
        pub at: DateTime<Utc>,
        /// Whether a session began.
        pub accepted: bool,
        /// Why not, as a stable code.
        pub reason: Option<String>,
        /// Why not, for the operator.
        pub detail: Option<String>,
        /// The user, if it was known who it is.
        pub subject: Option<ResourceId>,
        /// What the identity provider calls the person.
        pub name_id: Option<String>,
        /// The object id that it gives them.
        pub object_id: Option<String>,
        /// What the user was recognized by.
        pub matched_by: Option<String>,
        /// Who began: `service-provider` or `identity-provider`.
        pub initiated_by: Option<String>,
        /// Who issued the assertion.
        pub issuer: Option<String>,
        /// Its id.
        pub assertion: Option<String>,
        /// The request it answers.
        pub request: Option<String>,
        /// SHA-256 of the certificate that verified it.
        pub certificate: Option<String>,
        /// Which part was signed.
        pub signed: Option<String>,
        /// Whether it came encrypted.
        pub encrypted: bool,
        /// When the person proved who they are to the identity provider.
        pub authn_instant: Option<DateTime<Utc>>,
        /// The address it came from.
        pub source: Option<String>,
        /// The session that began.
        pub session: Option<SessionId>,
        /// SHA-256 of the message.
        pub message_sha256: String,
        /// Where the assertion said something else than SCIM.
        pub drift: Vec<Drift>,
        /// Whether there is any.
        pub(crate) drifted: bool,
    }

    /// One row for each attempt; `seq` is the position of its event.
    pub table LOGINS = "logins" {
        key: ["organization", "seq"],
        indexes: [
            ["organization", "exchange"],
            ["organization", "subject", "seq"],
            ["organization", "accepted", "seq"],
            ["organization", "drifted", "seq"],
        ],
        order: "seq",
    }
}

/// Which logins to list. Everything left `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginFilter {
    /// Accepted or refused ones.
    pub accepted: Option<bool>,
    /// Of this user.
    pub subject: Option<ResourceId>,
    /// Only those whose assertion said something else than SCIM.
    pub drifted: bool,
    /// Below this position.
    pub before: Option<Position>,
}

/// The rows that a page of records makes.
#[derive(Debug, Default)]
pub(crate) struct Logins(Vec<LoginRow>);

impl View for Logins {
    const NAME: &'static str = "logins";
    const REVISION: u32 = 2;
    const TABLES: &'static [&'static Table] = &[&LOGINS];

    async fn fetch(_: &mut dyn SqlTransaction, _: &Page<'_>) -> Result<Self, SqlError> {
        Ok(Self::default())
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        let user = ResourceId(record.stream.id);
        match event {
            DomainEvent::User(UserEvent::SignedIn(signed_in)) => self.0.push(LoginRow {
                accepted: true,
                matched_by: Some(signed_in.matched_by.as_str().to_owned()),
                session: Some(signed_in.session),
                drift: signed_in.drift.clone(),
                drifted: !signed_in.drift.is_empty(),
                ..row(record, Some(user), &signed_in.attempt)
            }),
            DomainEvent::User(UserEvent::LoginRefused(login)) => {
                self.0.push(refused(record, Some(user), login))
            }
            DomainEvent::Organization(OrganizationEvent::LoginRefused(login)) => {
                self.0.push(refused(record, None, login))
            }
            _ => {}
        }
        Ok(())
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        LoginRow::upsert(self.0, out)
    }
}

/// A refused login; of a user, if it was known who it is.
fn refused(record: &Record, user: Option<ResourceId>, login: &RefusedLogin) -> LoginRow {
    LoginRow {
        reason: Some(bounded(&login.reason, WORD_BYTES)),
        detail: Some(bounded(&login.detail, WORD_BYTES)),
        ..row(record, user, &login.attempt)
    }
}

/// What there is to say of any attempt.
fn row(record: &Record, subject: Option<ResourceId>, attempt: &Attempt) -> LoginRow {
    let word = |text: Option<&str>| text.map(|t| bounded(t, WORD_BYTES));
    let asserted = attempt.asserted.as_ref();
    let signed = asserted.and_then(|a| serde_json::to_value(a.signed).ok());
    LoginRow {
        organization: record.stream.organization,
        seq: record.position,
        exchange: record.exchange,
        at: record.recorded_at,
        accepted: false,
        reason: None,
        detail: None,
        subject,
        name_id: word(asserted.map(|a| a.name_id.value.value().as_str())),
        object_id: word(
            asserted.and_then(|a| a.object_identifier.as_ref()).map(|id| id.value().as_str()),
        ),
        matched_by: None,
        initiated_by: word(attempt.initiated_by.map(|i| i.as_str())),
        issuer: word(asserted.map(|a| a.issuer.as_str())),
        assertion: word(asserted.map(|a| a.id.as_str())),
        request: word(attempt.request.as_deref()),
        certificate: word(asserted.map(|a| a.certificate_sha256.as_str())),
        signed: word(signed.as_ref().and_then(|s| s.as_str())),
        encrypted: asserted.is_some_and(|a| a.encrypted),
        authn_instant: asserted.map(|a| a.authn_instant),
        source: word(attempt.source.as_ref().map(|s| s.value().as_str())),
        session: None,
        message_sha256: bounded(&attempt.message_sha256, WORD_BYTES),
        drift: Vec::new(),
        drifted: false,
    }
}

/// Reads logins.
#[derive(Clone)]
pub struct LoginView {
    views: Arc<dyn SqlStore>,
}

impl LoginView {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// At most `limit` logins of an organization, newest first.
    pub async fn list(
        &self,
        organization: OrganizationId,
        filter: &LoginFilter,
        limit: usize,
    ) -> Result<Vec<LoginRow>, SqlError> {
        let mut params: Vec<SqlValue> = vec![organization.into()];
        let mut conditions = vec!["organization = $1".to_owned()];
        let mut condition = |text: &str, value: SqlValue| {
            params.push(value);
            conditions.push(format!("{text} ${}", params.len()));
        };
        if let Some(accepted) = filter.accepted {
            condition("accepted =", accepted.into());
        }
        if let Some(subject) = filter.subject {
            condition("subject =", subject.to_string().into());
        }
        if filter.drifted {
            condition("drifted =", true.into());
        }
        if let Some(before) = filter.before {
            condition("seq <", before.into());
        }
        params.push(SqlValue::Int(Some(i64::try_from(limit).unwrap_or(i64::MAX))));
        let conditions = conditions.join(" AND ");
        let sql = format!(
            "SELECT {} FROM logins WHERE {conditions} ORDER BY seq DESC LIMIT ${}",
            LoginRow::list(),
            params.len()
        );
        read_all(self.views.query(&sql, params).await?)
    }

    /// The login of an exchange.
    pub async fn of_exchange(
        &self,
        organization: OrganizationId,
        exchange: ExchangeId,
    ) -> Result<Option<LoginRow>, SqlError> {
        let sql = format!(
            "SELECT {} FROM logins WHERE organization = $1 AND exchange = $2",
            LoginRow::list()
        );
        read_first(
            self.views.query(&sql, vec![organization.into(), exchange.to_string().into()]).await?,
        )
    }
}
