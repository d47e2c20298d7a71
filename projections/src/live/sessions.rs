//! Sessions: who is signed in, since when, and what ended it. Table, fold, queries.

use crate::bad::Bad;
use crate::columns::{Columns, Stored, columns, read_all};
use crate::page::Page;
use crate::table::{Statement, Table, key_lists, numbered, with};
use crate::text::{bounded, lookup_key, micros};
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId, SessionId};
use rollcall_domain::log::{AggregateKind, Position, Record};
use rollcall_domain::saml::NameId;
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction, SqlValue};
use rollcall_domain::user::{UserEvent, UserEventKind};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// Why a session ended when SCIM ended it: the user was switched off.
pub const DEACTIVATED: &str = "deactivated";
/// Why a session ended when SCIM ended it: the user was removed.
pub const DELETED: &str = "deleted";

columns! {
    /// A session.
    #[derive(Clone, Debug, PartialEq)]
    pub struct SessionRow {
        /// Whose data it is.
        pub organization: OrganizationId,
        /// Names it.
        pub id: SessionId,
        /// Position at which it began.
        pub seq: Position,
        /// SHA-256 of the token, in lower-case hex.
        pub(crate) token_sha256: String,
        /// The user.
        pub subject: ResourceId,
        /// When it began.
        pub began: DateTime<Utc>,
        /// When it is over at the latest.
        pub expires: DateTime<Utc>,
        /// The login.
        pub exchange: Option<ExchangeId>,
        /// The lookup key of `name_id`.
        pub(crate) name_key: Option<String>,
        /// What the identity provider calls the person.
        pub name_id: Option<NameId>,
        /// What the identity provider calls the session.
        pub session_index: Option<String>,
        /// The identity provider.
        pub issuer: Option<String>,
        /// When it ended before its time.
        pub ended: Option<DateTime<Utc>>,
        /// Why.
        pub end_reason: Option<String>,
        /// The exchange that ended it.
        pub end_exchange: Option<ExchangeId>,
        /// Milliseconds from the SCIM request that ended it to the first refused check.
        pub refused_ms: Option<u64>,
    }

    /// One row for each session; `seq` is the position at which it began, `name_key` finds those
    /// that the identity provider speaks of.
    pub table SESSIONS = "sessions" {
        key: ["organization", "id"],
        indexes: [["token_sha256"], ["organization", "subject", "seq"], ["organization", "name_key"], ["organization", "seq"]],
        order: "seq",
    }
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

impl View for Sessions {
    const NAME: &'static str = "sessions";
    const REVISION: u32 = 2;
    const TABLES: &'static [&'static Table] = &[&SESSIONS];

    /// Finds out which of the users that leave have sessions.
    async fn fetch(tx: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        let leaves = |r: &&Record| {
            UserEventKind::named(&r.event_type).is_some_and(UserEventKind::ends_sessions)
        };
        let leaving: BTreeSet<Uuid> =
            page.of(AggregateKind::User).filter(leaves).map(|r| r.stream.id).collect();
        let keys: Vec<SqlValue> = leaving.into_iter().map(|id| id.to_string().into()).collect();
        let mut sessions = Self::default();
        for keys in key_lists(&keys) {
            let among = numbered(2, keys.len());
            let sql = format!(
                "SELECT DISTINCT subject FROM sessions WHERE organization = $1 AND subject IN ({among}) AND ended IS NULL"
            );
            sessions.having.extend(read_all::<Uuid>(
                tx.query(&sql, with(page.organization.into(), keys)).await?,
            )?);
        }
        Ok(sessions)
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        let DomainEvent::User(event) = event else { return Ok(()) };
        match event {
            UserEvent::SignedIn(signed_in) => {
                self.having.insert(record.stream.id);
                let asserted = signed_in.attempt.asserted.as_ref();
                let name_id = asserted.map(|a| &a.name_id);
                let begun = SessionRow {
                    organization: record.stream.organization,
                    id: signed_in.session,
                    seq: record.position,
                    token_sha256: signed_in.token_sha256.clone(),
                    subject: ResourceId(record.stream.id),
                    began: signed_in.began_at,
                    expires: signed_in.expires_at,
                    exchange: record.exchange,
                    name_key: name_id.map(|n| lookup_key(n.value.value())),
                    name_id: name_id.cloned(),
                    session_index: asserted
                        .and_then(|a| a.session_index.as_deref())
                        .map(|s| bounded(s, 1_000)),
                    issuer: asserted.map(|a| bounded(&a.issuer, 2_000)),
                    ended: None,
                    end_reason: None,
                    end_exchange: None,
                    refused_ms: None,
                };
                SessionRow::upsert(vec![begun], &mut self.statements)?;
            }
            UserEvent::SessionEnded { session, end } => {
                self.end(record, end.as_str(), "id = $5", session.to_string())
            }
            UserEvent::Deactivated {} => self.end_all(record, DEACTIVATED),
            UserEvent::Deleted { .. } => self.end_all(record, DELETED),
            UserEvent::SessionRefused { session, milliseconds, .. } => {
                let sql = "UPDATE sessions SET refused_ms = $1 WHERE organization = $2 AND id = $3";
                let params = vec![
                    (*milliseconds).into(),
                    record.stream.organization.into(),
                    session.to_string().into(),
                ];
                self.statements.push((sql.to_owned(), params));
            }
            _ => {}
        }
        Ok(())
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        out.extend(self.statements);
        Ok(())
    }
}

impl Sessions {
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
        let params = vec![
            micros(record.recorded_at).into(),
            why.into(),
            exchange.into(),
            record.stream.organization.into(),
            key.into(),
        ];
        self.statements.push((sql, params));
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
    pub async fn by_id(
        &self,
        organization: OrganizationId,
        session: SessionId,
    ) -> Result<Option<SessionRow>, SqlError> {
        Ok(self
            .rows(
                "organization = $1 AND id = $2",
                vec![organization.into(), session.to_string().into()],
            )
            .await?
            .pop())
    }

    /// The sessions that have not ended and that an identity provider means: of this person, and
    /// with one of these indexes, if there are any.
    pub async fn meant(
        &self,
        organization: OrganizationId,
        name_id: &NameId,
        indexes: &[String],
    ) -> Result<Vec<SessionRow>, SqlError> {
        let params = vec![organization.into(), lookup_key(name_id.value.value()).into()];
        let rows =
            self.rows("organization = $1 AND name_key = $2 AND ended IS NULL", params).await?;
        let meant = |row: &SessionRow| {
            let same = row.name_id.as_ref().is_some_and(|known| known.value == name_id.value);
            same && (indexes.is_empty()
                || row.session_index.as_ref().is_some_and(|index| indexes.contains(index)))
        };
        Ok(rows.into_iter().filter(meant).collect())
    }

    /// At most `limit` sessions of an organization, newest first.
    pub async fn list(
        &self,
        organization: OrganizationId,
        filter: &SessionFilter,
        limit: usize,
    ) -> Result<Vec<SessionRow>, SqlError> {
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

    async fn rows(
        &self,
        condition: &str,
        params: Vec<SqlValue>,
    ) -> Result<Vec<SessionRow>, SqlError> {
        let sql = format!("SELECT {} FROM sessions WHERE {condition}", SessionRow::list());
        read_all(self.views.query(&sql, params).await?)
    }
}
