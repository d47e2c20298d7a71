//! Deliveries that were set aside: one row each, until it was made or somebody has seen to it.

use crate::columns::{Columns, Stored, columns};
use crate::table::Statement;
use chrono::{DateTime, Utc};
use rollcall_domain::ids::{ConsumerId, OrganizationId};
use rollcall_domain::log::Position;
use rollcall_domain::sql::SqlValue;

columns! {
    /// A delivery that was set aside.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ParkedRow {
        /// Whose log it tells of.
        pub organization: OrganizationId,
        /// Whom it is for.
        pub consumer: ConsumerId,
        /// Place of the event's record in the log.
        pub position: Position,
        /// Which of the record's events.
        pub part: u64,
        /// What it is about: nothing later about that is delivered before it.
        pub subject: String,
        /// Type of the event.
        pub event_type: String,
        /// Id of the event.
        pub event: String,
        /// Position of the event for this consumer before it.
        pub previous: Position,
        /// When it was set aside.
        pub parked: DateTime<Utc>,
        /// How often it was tried; 0 for one that waits behind another.
        pub attempts: u64,
        /// When it was last tried.
        pub tried: Option<DateTime<Utc>>,
        /// What came of that, as a stable name.
        pub outcome: Option<String>,
        /// When it is tried again; at once if there is no instant and none of its subject is before
        /// it.
        pub next_attempt: Option<DateTime<Utc>>,
    }

    /// One row for each delivery that was set aside.
    pub table PARKED = "consumer_parked" {
        key: ["organization", "consumer", "position", "part"],
        indexes: [["organization", "consumer", "subject"]],
        order: "position",
    }
}

columns! {
    /// Up to where a consumer is told again what it was told before.
    #[derive(Clone, Debug, PartialEq)]
    pub struct RedeliveryRow {
        /// Whose log.
        pub organization: OrganizationId,
        /// To whom.
        pub consumer: ConsumerId,
        /// Up to this position.
        pub up_to: Position,
    }

    /// One row for each consumer that was put back.
    pub table REDELIVERIES = "consumer_redeliveries" {
        key: ["organization", "consumer"],
        indexes: [],
        order: "up_to",
    }
}

/// Which delivery: its record's position, and its part.
pub type Delivery = (Position, u64);

/// None of the same subject stands before it.
const IS_FIRST: &str = "NOT EXISTS (SELECT 1 FROM consumer_parked earlier
    WHERE earlier.organization = p.organization AND earlier.consumer = p.consumer
    AND earlier.subject = p.subject AND (earlier.position < p.position
    OR (earlier.position = p.position AND earlier.part < p.part)))";

fn all(condition: &str) -> String {
    format!(
        "SELECT {} FROM consumer_parked p WHERE organization = $1 AND consumer = $2{condition}",
        ParkedRow::list_of("p")
    )
}

/// Those after one, in order.
pub fn listed(after: Delivery, limit: usize) -> (String, Vec<SqlValue>) {
    let sql = all(" AND (position > $3 OR (position = $3 AND part > $4))");
    let values = vec![after.0.into(), after.1.into()];
    (format!("{sql} ORDER BY position, part LIMIT {limit}"), values)
}

/// One of them.
pub fn one(delivery: Delivery) -> (String, Vec<SqlValue>) {
    (all(" AND position = $3 AND part = $4"), vec![delivery.0.into(), delivery.1.into()])
}

/// The first that is to be tried by now.
pub fn due(now: DateTime<Utc>) -> (String, Vec<SqlValue>) {
    let sql = all(&format!(
        " AND (next_attempt IS NULL OR next_attempt <= $3) AND {IS_FIRST}
        ORDER BY position, part LIMIT 1"
    ));
    (sql, vec![now.timestamp_micros().into()])
}

/// How many there are between two positions, and how many of those have none before them.
pub const COUNT_BETWEEN: &str = "SELECT COUNT(*) FROM consumer_parked p
    WHERE organization = $1 AND consumer = $2 AND position >= $3 AND position <= $4";

/// See [`COUNT_BETWEEN`].
pub fn count_first_between() -> String {
    format!("{COUNT_BETWEEN} AND {IS_FIRST}")
}

/// Has those between two positions tried as soon as none is before them.
pub const TRY_BETWEEN: &str = "UPDATE consumer_parked SET next_attempt = NULL
    WHERE organization = $1 AND consumer = $2 AND position >= $3 AND position <= $4";

/// Forgets one.
pub const FORGET_ONE: &str = "DELETE FROM consumer_parked
    WHERE organization = $1 AND consumer = $2 AND position = $3 AND part = $4";

/// Forgets those after a position: they are told again with everything else.
pub const FORGET_AFTER: &str =
    "DELETE FROM consumer_parked WHERE organization = $1 AND consumer = $2 AND position > $3";

/// A statement about one consumer.
pub fn about(
    sql: &str,
    organization: OrganizationId,
    consumer: ConsumerId,
    more: impl IntoIterator<Item = SqlValue>,
) -> Statement {
    let mut values = vec![organization.into(), consumer.to_string().into()];
    values.extend(more);
    (sql.to_owned(), values)
}

/// Writes a row.
///
/// # Errors
/// If it cannot be kept.
pub fn written(row: ParkedRow) -> Result<Vec<Statement>, crate::bad::Bad> {
    let mut statements = Vec::new();
    ParkedRow::upsert(vec![row], &mut statements)?;
    Ok(statements)
}
