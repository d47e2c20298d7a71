//! Where the events of a subject, a type, an actor or a time stand in the log: table and fold.
//! Payloads stay in the log.

use crate::table::{Statement, Table, int, optional_text, text};
use crate::text::{bounded, micros};
use rollcall_domain::actor::Actor;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::Record;
use rollcall_domain::sql::{SqlError, SqlTransaction, SqlValue};

/// One row for each record. `clock` is the latest time of any record up to this one: servers
/// decide times before the log decides the order, and a moment must be a place in that order.
pub const EVENTS: Table = Table {
    name: "events",
    columns: &[
        text("organization"),
        int("position"),
        text("event_type"),
        text("subject"),
        int("version"),
        text("actor"),
        optional_text("exchange"),
        int("recorded_at"),
        int("clock"),
    ],
    key: &["organization", "position"],
    indexes: &[
        &["organization", "subject", "position"],
        &["organization", "event_type", "position"],
        &["organization", "actor", "position"],
        &["organization", "exchange", "position"],
        &["organization", "clock", "position"],
    ],
    order: "position",
};

const WORD_BYTES: usize = 200;

/// The form under which an actor is looked up: its kind, and which one of that kind.
pub(crate) fn actor_key(actor: &Actor) -> String {
    match actor {
        Actor::Unauthenticated => "unauthenticated".to_owned(),
        Actor::ScimToken { token } => format!("scim_token:{token}"),
        Actor::User { user } => format!("user:{user}"),
        Actor::Operator => "operator".to_owned(),
        Actor::System => "system".to_owned(),
    }
}

/// The rows that a page of records makes.
#[derive(Debug)]
pub(crate) struct Events {
    clock: i64,
    rows: Vec<Vec<SqlValue>>,
}

impl Events {
    /// Reads how far the clock is.
    pub async fn fetch(tx: &mut dyn SqlTransaction, organization: OrganizationId) -> Result<Self, SqlError> {
        let sql = "SELECT clock FROM events WHERE organization = $1 ORDER BY position DESC LIMIT 1";
        let rows = tx.query(sql, vec![organization.into()]).await?;
        let clock = rows.first().map_or(Ok(i64::MIN), |row| row.int(0))?;
        Ok(Self { clock, rows: Vec::new() })
    }

    /// Notes one record.
    pub fn apply(&mut self, organization: OrganizationId, record: &Record) {
        let at = micros(record.recorded_at);
        self.clock = self.clock.max(at);
        self.rows.push(vec![
            organization.into(),
            record.position.into(),
            bounded(&record.event_type, WORD_BYTES).into(),
            record.stream.id.to_string().into(),
            record.version.into(),
            actor_key(&record.actor).into(),
            record.exchange.map(|x| x.to_string()).into(),
            at.into(),
            self.clock.into(),
        ]);
    }

    /// The statements.
    pub fn flush(self, out: &mut Vec<Statement>) {
        EVENTS.upsert(self.rows, out);
    }
}
