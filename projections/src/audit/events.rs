//! Where the events of a subject, a type, an actor or a time stand in the log: table, fold,
//! queries. Payloads stay in the log.

use crate::bad::Bad;
use crate::columns::{Stored, columns, read_all, read_first};
use crate::page::Page;
use crate::ranges::Ranges;
use crate::table::{Statement, Table, key_lists, numbered};
use crate::text::{bounded, micros};
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::{Position, Record, Version};
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction, SqlValue};
use std::sync::Arc;
use uuid::Uuid;

columns! {
    #[derive(Debug)]
    struct EventRow {
        organization: OrganizationId,
        position: Position,
        event_type: String,
        subject: Uuid,
        version: Version,
        actor: String,
        exchange: Option<ExchangeId>,
        recorded_at: DateTime<Utc>,
        clock: i64,
    }

    /// One row for each record. `clock` is when it was recorded, as far as the log knows: no earlier
    /// than any record before it (servers decide times before the log decides the order, and a
    /// moment must be a place in that order), and no later than a later one that bounds times
    /// ([`DomainEvent::bounds_times`]).
    pub table EVENTS = "events" {
        key: ["organization", "position"],
        indexes: [
            ["organization", "subject", "position"],
            ["organization", "event_type", "position"],
            ["organization", "actor", "position"],
            ["organization", "exchange", "position"],
            ["organization", "clock", "position"],
        ],
        order: "position",
    }
}

columns! {
    /// Where the last event of a subject stands.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LastOfSubject {
        /// The subject.
        pub subject: Uuid,
        /// The position.
        pub position: Position = "MAX(position)",
    }
}

const WORD_BYTES: usize = 200;

/// The form under which an actor is looked up: its kind, and which one of that kind.
pub(crate) fn actor_key(actor: &Actor) -> String {
    match actor {
        Actor::ScimToken { token } => format!("{}:{token}", actor.kind()),
        Actor::Auditor { auditor } => format!("{}:{auditor}", actor.kind()),
        Actor::Admin { admin, .. } => format!("{}:{admin}", actor.kind()),
        Actor::NamedOperator { operator, .. } => format!("{}:{operator}", actor.kind()),
        Actor::Consumer { consumer, .. } => format!("{}:{consumer}", actor.kind()),
        Actor::User { user } => format!("{}:{user}", actor.kind()),
        Actor::Unauthenticated | Actor::Operator | Actor::LocalOperator { .. } | Actor::System => {
            actor.kind().to_owned()
        }
    }
}

/// The rows that a page of records makes.
#[derive(Debug)]
pub(crate) struct Events {
    organization: OrganizationId,
    /// In microseconds since 1970.
    clock: i64,
    /// The earliest that times before the page are bounded by.
    bound: Option<i64>,
    rows: Vec<EventRow>,
}

impl View for Events {
    const NAME: &'static str = "events";
    const REVISION: u32 = 2;
    const TABLES: &'static [&'static Table] = &[&EVENTS];

    /// Reads how far the clock is.
    async fn fetch(tx: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        let sql = "SELECT clock FROM events WHERE organization = $1 ORDER BY position DESC LIMIT 1";
        let clock =
            read_first(tx.query(sql, vec![page.organization.into()]).await?)?.unwrap_or(i64::MIN);
        Ok(Self {
            organization: page.organization,
            clock,
            bound: None,
            rows: Vec::with_capacity(page.records.len()),
        })
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        let at = micros(record.recorded_at);
        if event.bounds_times() && at < self.clock {
            self.rows.iter_mut().for_each(|row| row.clock = row.clock.min(at));
            self.bound = Some(self.bound.map_or(at, |bound| bound.min(at)));
            self.clock = at;
        }
        self.clock = self.clock.max(at);
        self.rows.push(EventRow {
            organization: self.organization,
            position: record.position,
            event_type: bounded(&record.event_type, WORD_BYTES),
            subject: record.stream.id,
            version: record.version,
            actor: actor_key(&record.actor),
            exchange: record.exchange,
            recorded_at: record.recorded_at,
            clock: self.clock,
        });
        Ok(())
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        if let Some(bound) = self.bound {
            let sql = "UPDATE events SET clock = $1 WHERE organization = $2 AND clock > $3";
            let params = vec![bound.into(), self.organization.into(), bound.into()];
            out.push((sql.to_owned(), params));
        }
        EventRow::upsert(self.rows, out)
    }
}

/// Which events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this user, group or organization.
    pub subject: Option<Uuid>,
    /// Of this type, such as `UserCreated`.
    pub event_type: Option<String>,
    /// By this actor: `operator`, `named_operator:ID`, `admin:ID`, `system`, `scim_token:ID`,
    /// `auditor:ID`, `user:ID`.
    pub actor: Option<String>,
    /// Caused by this exchange.
    pub exchange: Option<ExchangeId>,
    /// Only at these positions, such as those of a run.
    pub among: Option<Ranges>,
    /// Only after this position.
    pub after: Position,
    /// Only up to this position; to the end, if absent.
    pub until: Option<Position>,
}

impl EventFilter {
    /// True if it asks for nothing but positions, which need no index.
    pub fn is_plain(&self) -> bool {
        self.subject.is_none()
            && self.event_type.is_none()
            && self.actor.is_none()
            && self.exchange.is_none()
    }

    /// The positions at which it looks.
    pub fn ranges(&self) -> Ranges {
        let until = self.until.unwrap_or(Position::MAX);
        self.among.as_ref().unwrap_or(&Ranges::everything()).between(self.after, until)
    }
}

/// So many events at least are looked at in one go where some are passed over.
const PAGE: usize = 200;

/// Finds events. Fold before you ask.
#[derive(Clone)]
pub struct EventIndex {
    views: Arc<dyn SqlStore>,
}

impl EventIndex {
    /// Reads from the auditors' views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// The positions of the first `limit` events that match, in order.
    pub async fn positions(
        &self,
        organization: OrganizationId,
        filter: &EventFilter,
        limit: usize,
    ) -> Result<Vec<Position>, SqlError> {
        let page = if filter.among.is_some() { limit.max(PAGE) } else { limit };
        let mut left = filter.ranges();
        let mut found = Vec::new();
        // What matches in the gaps is passed over; the next page begins behind them.
        while found.len() < limit
            && let Some(span) = left.span()
        {
            let matching = self.between(organization, filter, span, page).await?;
            found.extend(matching.iter().copied().filter(|position| left.contains(*position)));
            let Some(last) = matching.last().filter(|_| matching.len() == page) else { break };
            left = left.between(*last, span.1);
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The position of the last event of one of these types up to a position; 0 if there is none.
    pub async fn last_of(
        &self,
        organization: OrganizationId,
        event_types: &[&str],
        until: Position,
    ) -> Result<Position, SqlError> {
        let mut last = 0;
        // One at a time: the index is by type, and then by position.
        for event_type in event_types {
            let sql = "SELECT position FROM events WHERE organization = $1 AND event_type = $2 AND position <= $3 AND position > $4 \
                       ORDER BY position DESC LIMIT 1";
            let event_type = bounded(event_type, WORD_BYTES).into();
            let params = vec![organization.into(), event_type, until.into(), last.into()];
            last = read_first(self.views.query(sql, params).await?)?.unwrap_or(last);
        }
        Ok(last)
    }

    /// The position of the last event of one of these types up to a position, of each of these
    /// subjects that has one.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn last_of_subjects(
        &self,
        organization: OrganizationId,
        event_types: &[&str],
        subjects: &[Uuid],
        until: Position,
    ) -> Result<Vec<LastOfSubject>, SqlError> {
        let mut found = Vec::new();
        if event_types.is_empty() {
            return Ok(found);
        }
        let named: Vec<SqlValue> = subjects.iter().map(|id| id.to_string().into()).collect();
        for list in key_lists(&named) {
            let types = numbered(3 + list.len(), event_types.len());
            let sql = format!(
                "SELECT subject, MAX(position) FROM events WHERE organization = $1 AND position <= $2 AND subject IN ({}) \
                 AND event_type IN ({types}) GROUP BY subject",
                numbered(3, list.len())
            );
            let types = event_types.iter().map(|name| bounded(name, WORD_BYTES).into());
            let params = [organization.into(), until.into()].into_iter().chain(list).chain(types);
            let rows = self.views.query(&sql, params.collect()).await?;
            found.extend(read_all::<LastOfSubject>(rows)?);
        }
        Ok(found)
    }

    /// The positions of the first `limit` events from a position to another that match, in order.
    async fn between(
        &self,
        organization: OrganizationId,
        filter: &EventFilter,
        (first, last): (Position, Position),
        limit: usize,
    ) -> Result<Vec<Position>, SqlError> {
        let mut params: Vec<SqlValue> = vec![organization.into(), first.into(), last.into()];
        let mut conditions = String::new();
        let wanted: [(&str, Option<SqlValue>); 4] = [
            ("subject", filter.subject.map(|id| id.to_string().into())),
            ("event_type", filter.event_type.as_deref().map(|t| bounded(t, WORD_BYTES).into())),
            ("actor", filter.actor.as_deref().map(|a| bounded(a, WORD_BYTES).into())),
            ("exchange", filter.exchange.map(|x| x.to_string().into())),
        ];
        for (column, value) in wanted {
            if let Some(value) = value {
                params.push(value);
                conditions.push_str(&format!(" AND {column} = ${}", params.len()));
            }
        }
        params.push((limit as u64).into());
        let sql = format!(
            "SELECT position FROM events WHERE organization = $1 AND position >= $2 AND position <= $3{conditions} \
             ORDER BY position LIMIT ${}",
            params.len()
        );
        read_all(self.views.query(&sql, params).await?)
    }
}
