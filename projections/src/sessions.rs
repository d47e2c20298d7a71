//! Sessions: who is signed in, since when, and what ended it. Table, fold, queries.

use crate::table::{Statement, Table, int, key_lists, numbered, optional_int, optional_text, text, with};
use crate::text::{bounded, count, id, instant, lookup_key, micros};
use chrono::{DateTime, Utc};
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId, SessionId};
use rollcall_domain::log::{AggregateKind, Position, Record};
use rollcall_domain::saml::NameId;
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore, SqlTransaction, SqlValue};
use rollcall_domain::user::{UserEvent, UserEventKind};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// One row for each session; `seq` is the position at which it began, `name_key` finds those that
/// the identity provider speaks of.
pub const SESSIONS: Table = Table {
    name: "sessions",
    columns: &[
        text("organization"),
        text("id"),
        int("seq"),
        text("token_sha256"),
        text("subject"),
        int("began"),
        int("expires"),
        optional_text("exchange"),
        optional_text("name_key"),
        optional_text("name_id"),
        optional_text("session_index"),
        optional_int("ended"),
        optional_text("end_reason"),
        optional_text("end_exchange"),
        optional_int("refused_ms"),
    ],
    key: &["organization", "id"],
    indexes: &[&["token_sha256"], &["organization", "subject", "seq"], &["organization", "name_key"], &["organization", "seq"]],
    order: "seq",
};

/// Why a session ended when SCIM ended it: the user was switched off.
pub const DEACTIVATED: &str = "deactivated";
/// Why a session ended when SCIM ended it: the user was removed.
pub const DELETED: &str = "deleted";

/// A session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRow {
    /// Whose data it is.
    pub organization: OrganizationId,
    /// Names it.
    pub id: SessionId,
    /// Position at which it began.
    pub seq: Position,
    /// The user.
    pub subject: ResourceId,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When it is over at the latest.
    pub expires: DateTime<Utc>,
    /// The login.
    pub exchange: Option<ExchangeId>,
    /// What the identity provider calls the person.
    pub name_id: Option<NameId>,
    /// What the identity provider calls the session.
    pub session_index: Option<String>,
    /// When it ended before its time.
    pub ended: Option<DateTime<Utc>>,
    /// Why.
    pub end_reason: Option<String>,
    /// The exchange that ended it.
    pub end_exchange: Option<ExchangeId>,
    /// Milliseconds from the SCIM request that ended it to the first refused check.
    pub refused_ms: Option<u64>,
}

impl SessionRow {
    /// Whether it lets anybody in at an instant.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.ended.is_none() && now < self.expires
    }

    /// Whether SCIM ended it.
    pub fn was_ended_by_scim(&self) -> bool {
        self.end_reason.as_deref().is_some_and(|why| why == DEACTIVATED || why == DELETED)
    }
}

/// What a page of records does to sessions, in order.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    /// Users who may have sessions: a switched-off user without any costs nothing.
    having: BTreeSet<Uuid>,
    statements: Vec<Statement>,
}

impl Sessions {
    /// Finds out which of the users that leave have sessions.
    pub async fn fetch(tx: &mut dyn SqlTransaction, organization: OrganizationId, records: &[Record]) -> Result<Self, SqlError> {
        let leaves = |r: &&Record| {
            r.stream.kind == AggregateKind::User && UserEventKind::named(&r.event_type).is_some_and(UserEventKind::ends_sessions)
        };
        let leaving: BTreeSet<Uuid> = records.iter().filter(leaves).map(|r| r.stream.id).collect();
        let keys: Vec<SqlValue> = leaving.into_iter().map(|id| id.to_string().into()).collect();
        let mut sessions = Self::default();
        for keys in key_lists(&keys) {
            let among = numbered(2, keys.len());
            let sql = format!("SELECT DISTINCT subject FROM sessions WHERE organization = $1 AND subject IN ({among}) AND ended IS NULL");
            for row in tx.query(&sql, with(organization.into(), keys)).await? {
                sessions.having.insert(id(row.text(0)?)?);
            }
        }
        Ok(sessions)
    }

    /// Folds one event of a user.
    pub fn apply(&mut self, record: &Record, event: &UserEvent) {
        match event {
            UserEvent::SignedIn(signed_in) => {
                self.having.insert(record.stream.id);
                let asserted = signed_in.attempt.asserted.as_ref();
                let name_id = asserted.map(|a| &a.name_id);
                SESSIONS.upsert(
                    vec![vec![
                        record.stream.organization.into(),
                        signed_in.session.to_string().into(),
                        record.position.into(),
                        signed_in.token_sha256.clone().into(),
                        record.stream.id.to_string().into(),
                        micros(signed_in.began_at).into(),
                        micros(signed_in.expires_at).into(),
                        record.exchange.map(|x| x.to_string()).into(),
                        name_id.map(|n| lookup_key(n.value.value())).into(),
                        name_id.and_then(|n| serde_json::to_string(n).ok()).into(),
                        asserted.and_then(|a| a.session_index.as_deref()).map(|s| bounded(s, 1_000)).into(),
                        SqlValue::Int(None),
                        SqlValue::Text(None),
                        SqlValue::Text(None),
                        SqlValue::Int(None),
                    ]],
                    &mut self.statements,
                );
            }
            UserEvent::SessionEnded { session, end } => self.end(record, end.as_str(), "id = $5", session.to_string()),
            UserEvent::Deactivated {} => self.end_all(record, DEACTIVATED),
            UserEvent::Deleted { .. } => self.end_all(record, DELETED),
            UserEvent::SessionRefused { session, milliseconds, .. } => {
                let sql = "UPDATE sessions SET refused_ms = $1 WHERE organization = $2 AND id = $3";
                let params = vec![(*milliseconds).into(), record.stream.organization.into(), session.to_string().into()];
                self.statements.push((sql.to_owned(), params));
            }
            _ => {}
        }
    }

    fn end_all(&mut self, record: &Record, why: &str) {
        if self.having.contains(&record.stream.id) {
            self.end(record, why, "subject = $5 AND expires > $1", record.stream.id.to_string());
        }
    }

    fn end(&mut self, record: &Record, why: &str, which: &str, key: String) {
        let sql = format!(
            "UPDATE sessions SET ended = $1, end_reason = $2, end_exchange = $3 WHERE organization = $4 AND {which} AND ended IS NULL"
        );
        let exchange = record.exchange.map(|x| x.to_string());
        let params = vec![micros(record.recorded_at).into(), why.into(), exchange.into(), record.stream.organization.into(), key.into()];
        self.statements.push((sql, params));
    }

    /// The statements.
    pub fn flush(self, out: &mut Vec<Statement>) {
        out.extend(self.statements);
    }
}

/// Which sessions to list. Everything left `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Of this user.
    pub subject: Option<ResourceId>,
    /// Only those that let somebody in at this instant.
    pub live_at: Option<DateTime<Utc>>,
    /// Below this position.
    pub before: Option<Position>,
}

/// Reads sessions.
#[derive(Clone)]
pub struct SessionView {
    views: Arc<dyn SqlStore>,
}

impl SessionView {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// The session with this token, by its SHA-256 in lower-case hex.
    pub async fn by_token(&self, sha256: &str) -> Result<Option<SessionRow>, SqlError> {
        Ok(self.rows("token_sha256 = $1", vec![sha256.into()]).await?.pop())
    }

    /// A session.
    pub async fn by_id(&self, organization: OrganizationId, session: SessionId) -> Result<Option<SessionRow>, SqlError> {
        Ok(self.rows("organization = $1 AND id = $2", vec![organization.into(), session.to_string().into()]).await?.pop())
    }

    /// The sessions that have not ended and that an identity provider means: of this person, and
    /// with one of these indexes, if there are any.
    pub async fn meant(&self, organization: OrganizationId, name_id: &NameId, indexes: &[String]) -> Result<Vec<SessionRow>, SqlError> {
        let params = vec![organization.into(), lookup_key(name_id.value.value()).into()];
        let rows = self.rows("organization = $1 AND name_key = $2 AND ended IS NULL", params).await?;
        let meant = |row: &SessionRow| {
            let same = row.name_id.as_ref().is_some_and(|known| known.value == name_id.value);
            same && (indexes.is_empty() || row.session_index.as_ref().is_some_and(|index| indexes.contains(index)))
        };
        Ok(rows.into_iter().filter(meant).collect())
    }

    /// At most `limit` sessions of an organization, newest first.
    pub async fn list(&self, organization: OrganizationId, filter: &SessionFilter, limit: usize) -> Result<Vec<SessionRow>, SqlError> {
        let mut params: Vec<SqlValue> = vec![organization.into()];
        let mut condition = "organization = $1".to_owned();
        if let Some(subject) = filter.subject {
            params.push(subject.to_string().into());
            condition.push_str(&format!(" AND subject = ${}", params.len()));
        }
        if let Some(at) = filter.live_at {
            params.push(micros(at).into());
            condition.push_str(&format!(" AND ended IS NULL AND expires > ${}", params.len()));
        }
        if let Some(before) = filter.before {
            params.push(before.into());
            condition.push_str(&format!(" AND seq < ${}", params.len()));
        }
        params.push(SqlValue::Int(Some(i64::try_from(limit).unwrap_or(i64::MAX))));
        condition.push_str(&format!(" ORDER BY seq DESC LIMIT ${}", params.len()));
        self.rows(&condition, params).await
    }

    async fn rows(&self, condition: &str, params: Vec<SqlValue>) -> Result<Vec<SessionRow>, SqlError> {
        let sql = format!("SELECT {} FROM sessions WHERE {condition}", SESSIONS.all());
        self.views.query(&sql, params).await?.iter().map(row).collect()
    }
}

fn row(row: &SqlRow) -> Result<SessionRow, SqlError> {
    let name_id = row.optional_text(9)?.map(serde_json::from_str).transpose();
    Ok(SessionRow {
        organization: id(row.text(0)?)?,
        id: id(row.text(1)?)?,
        seq: count(row.int(2)?)?,
        subject: id(row.text(4)?)?,
        began: instant(row.int(5)?)?,
        expires: instant(row.int(6)?)?,
        exchange: row.optional_text(7)?.map(id).transpose()?,
        name_id: name_id.map_err(|_| SqlError::Shape("a name id cannot be read".to_owned()))?,
        session_index: row.optional_text(10)?.map(str::to_owned),
        ended: row.optional_int(11)?.map(instant).transpose()?,
        end_reason: row.optional_text(12)?.map(str::to_owned),
        end_exchange: row.optional_text(13)?.map(id).transpose()?,
        refused_ms: row.optional_int(14)?.map(count).transpose()?,
    })
}
