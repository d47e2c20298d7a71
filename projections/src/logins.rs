//! Logins: every attempt, accepted or refused, and why. Table, fold, queries.

use crate::table::{Statement, Table, int, optional_int, optional_text, text};
use crate::text::{bounded, count, id, instant, micros};
use chrono::{DateTime, Utc};
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId, SessionId};
use rollcall_domain::log::{Position, Record};
use rollcall_domain::login::{Attempt, Drift, RefusedLogin};
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore, SqlValue};
use rollcall_domain::user::SignedIn;
use std::sync::Arc;

/// One row for each attempt; `seq` is the position of its event.
pub const LOGINS: Table = Table {
    name: "logins",
    columns: &[
        text("organization"),
        int("seq"),
        optional_text("exchange"),
        int("at"),
        int("accepted"),
        optional_text("reason"),
        optional_text("detail"),
        optional_text("subject"),
        optional_text("name_id"),
        optional_text("matched_by"),
        optional_text("initiated_by"),
        optional_text("issuer"),
        optional_text("assertion"),
        optional_text("request"),
        optional_text("certificate"),
        optional_text("signed"),
        int("encrypted"),
        optional_int("authn_instant"),
        optional_text("source"),
        optional_text("session"),
        text("message_sha256"),
        text("drift"),
        int("drifted"),
    ],
    key: &["organization", "seq"],
    indexes: &[
        &["organization", "exchange"],
        &["organization", "subject", "seq"],
        &["organization", "accepted", "seq"],
        &["organization", "drifted", "seq"],
    ],
    order: "seq",
};

const WORD_BYTES: usize = 500;

/// An attempt to sign in.
#[derive(Clone, Debug, PartialEq)]
pub struct LoginRow {
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
pub(crate) struct Logins(Vec<Vec<SqlValue>>);

impl Logins {
    /// Folds an accepted login.
    pub fn accepted(&mut self, record: &Record, signed_in: &SignedIn) {
        let drift = serde_json::to_string(&signed_in.drift).unwrap_or_default();
        let mut row = Self::row(record, Some(record.stream.id.to_string()), true, &signed_in.attempt);
        row[9] = signed_in.matched_by.as_str().into();
        row[19] = signed_in.session.to_string().into();
        row[21] = drift.into();
        row[22] = (!signed_in.drift.is_empty()).into();
        self.0.push(row);
    }

    /// Folds a refused login; of a user, if it was known who it is.
    pub fn refused(&mut self, record: &Record, user: Option<ResourceId>, refused: &RefusedLogin) {
        let mut row = Self::row(record, user.map(|u| u.to_string()), false, &refused.attempt);
        row[5] = bounded(&refused.reason, WORD_BYTES).into();
        row[6] = bounded(&refused.detail, WORD_BYTES).into();
        self.0.push(row);
    }

    fn row(record: &Record, subject: Option<String>, accepted: bool, attempt: &Attempt) -> Vec<SqlValue> {
        let none = || SqlValue::Text(None);
        let word = |text: Option<&str>| SqlValue::Text(text.map(|t| bounded(t, WORD_BYTES)));
        let asserted = attempt.asserted.as_ref();
        let signed = asserted.and_then(|a| serde_json::to_value(a.signed).ok());
        vec![
            record.stream.organization.into(),
            record.position.into(),
            record.exchange.map(|x| x.to_string()).into(),
            micros(record.recorded_at).into(),
            accepted.into(),
            none(),
            none(),
            subject.into(),
            word(asserted.map(|a| a.name_id.value.value().as_str())),
            none(),
            word(attempt.initiated_by.map(|i| i.as_str())),
            word(asserted.map(|a| a.issuer.as_str())),
            word(asserted.map(|a| a.id.as_str())),
            word(attempt.request.as_deref()),
            word(asserted.map(|a| a.certificate_sha256.as_str())),
            word(signed.as_ref().and_then(|s| s.as_str())),
            asserted.is_some_and(|a| a.encrypted).into(),
            asserted.map(|a| micros(a.authn_instant)).into(),
            word(attempt.source.as_ref().map(|s| s.value().as_str())),
            none(),
            bounded(&attempt.message_sha256, WORD_BYTES).into(),
            "[]".into(),
            false.into(),
        ]
    }

    /// The statements.
    pub fn flush(self, out: &mut Vec<Statement>) {
        LOGINS.upsert(self.0, out);
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
    pub async fn list(&self, organization: OrganizationId, filter: &LoginFilter, limit: usize) -> Result<Vec<LoginRow>, SqlError> {
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
        let sql = format!("SELECT {} FROM logins WHERE {conditions} ORDER BY seq DESC LIMIT ${}", LOGINS.all(), params.len());
        self.views.query(&sql, params).await?.iter().map(row).collect()
    }

    /// The login of an exchange.
    pub async fn of_exchange(&self, organization: OrganizationId, exchange: ExchangeId) -> Result<Option<LoginRow>, SqlError> {
        let sql = format!("SELECT {} FROM logins WHERE organization = $1 AND exchange = $2", LOGINS.all());
        let rows = self.views.query(&sql, vec![organization.into(), exchange.to_string().into()]).await?;
        rows.first().map(row).transpose()
    }
}

fn row(row: &SqlRow) -> Result<LoginRow, SqlError> {
    let text = |i: usize| row.optional_text(i).map(|t| t.map(str::to_owned));
    Ok(LoginRow {
        seq: count(row.int(1)?)?,
        exchange: row.optional_text(2)?.map(id).transpose()?,
        at: instant(row.int(3)?)?,
        accepted: row.int(4)? != 0,
        reason: text(5)?,
        detail: text(6)?,
        subject: row.optional_text(7)?.map(id).transpose()?,
        name_id: text(8)?,
        matched_by: text(9)?,
        initiated_by: text(10)?,
        issuer: text(11)?,
        assertion: text(12)?,
        request: text(13)?,
        certificate: text(14)?,
        signed: text(15)?,
        encrypted: row.int(16)? != 0,
        authn_instant: row.optional_int(17)?.map(instant).transpose()?,
        source: text(18)?,
        session: row.optional_text(19)?.map(id).transpose()?,
        message_sha256: row.text(20)?.to_owned(),
        drift: serde_json::from_str(row.text(21)?).map_err(|e| SqlError::Shape(format!("drift: {e}")))?,
    })
}
