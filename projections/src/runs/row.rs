//! Rows of runs, and how they are written and read.

use super::RUNS;
use crate::text::{bounded, count, id, instant, micros};
use chrono::{DateTime, Utc};
use rollcall_domain::ids::{ExchangeId, OrganizationId, RunId, TokenId};
use rollcall_domain::log::{ExchangeNumber, Position, RecordedExchange};
use rollcall_domain::run::{Confidence, Evidence, Place, Run, RunKind, subject};
use rollcall_domain::sql::{SqlError, SqlRow, SqlValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

const WORD_BYTES: usize = 200;

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// The number of its first exchange.
    pub first: ExchangeNumber,
    /// Its first exchange.
    pub first_exchange: ExchangeId,
    /// The number of its last exchange.
    pub last: ExchangeNumber,
    /// What it was.
    pub kind: RunKind,
    /// How sure that is.
    pub confidence: Confidence,
    /// Why.
    pub evidence: Vec<Evidence>,
    /// True if nothing has ended it as far as the log goes; whether it is silent is for the reader to say.
    pub open: bool,
    /// The token of the client.
    pub token: TokenId,
    /// Addresses it came from, at most eight.
    pub sources: Vec<String>,
    /// When its first exchange came in.
    pub began: DateTime<Utc>,
    /// When its last exchange came in.
    pub ended: DateTime<Utc>,
    /// Exchanges.
    pub exchanges: u64,
    /// Exchanges by operation.
    pub operations: BTreeMap<String, u64>,
    /// Exchanges that changed something.
    pub changes: u64,
    /// Events they caused.
    pub events: u64,
    /// Exchanges answered with an error.
    pub failures: u64,
    /// Exchanges that tried again what failed in an earlier run.
    pub retries: u64,
    /// Users asked for or changed; an estimate above 64.
    pub users: u64,
    /// Groups asked for or changed; an estimate above 64.
    pub groups: u64,
    /// Resources written to; an estimate above 64.
    pub written: u64,
    /// Where it stands among its client's cycles.
    pub place: Option<Place>,
}

/// An exchange of a run, without what is said of it elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunExchange {
    /// Its number.
    pub number: ExchangeNumber,
    /// Its id.
    pub id: ExchangeId,
    /// Its run.
    pub run: RunId,
    /// When it came in.
    pub at: DateTime<Utc>,
    /// The operation.
    pub operation: String,
    /// The resource it was about.
    pub subject: Option<String>,
    /// The status answered.
    pub status: u16,
    /// First and last position it produced.
    pub positions: Option<(Position, Position)>,
    /// True if it tried again what failed in an earlier run.
    pub retry: bool,
}

impl RunExchange {
    /// True if it asked for a change.
    pub fn is_write(&self) -> bool {
        let verb = self.operation.split_once('.').map_or("", |(_, verb)| verb);
        matches!(verb, "create" | "patch" | "replace" | "delete")
    }
}

/// The row of a run.
pub(super) fn run_values(organization: OrganizationId, run: Run) -> Result<Vec<SqlValue>, serde_json::Error> {
    let tally = run.tally;
    Ok(vec![
        organization.into(),
        run.id.to_string().into(),
        tally.first.into(),
        tally.first_id.to_string().into(),
        tally.last.into(),
        run.kind.as_str().into(),
        run.confidence.as_str().into(),
        json(&run.evidence)?,
        run.open.into(),
        run.token.to_string().into(),
        json(&run.sources)?,
        micros(tally.began).into(),
        micros(tally.ended).into(),
        tally.exchanges.into(),
        json(&tally.operations)?,
        tally.changes.into(),
        tally.events.into(),
        tally.failures.into(),
        tally.retries.into(),
        tally.users.count().into(),
        tally.groups.count().into(),
        tally.written.count().into(),
        SqlValue::Int(run.place.map(|p| p.since_previous)),
        SqlValue::Int(run.place.map(|p| p.usual)),
        SqlValue::Int(run.place.map(|p| p.missed)),
    ])
}

fn json(value: &impl Serialize) -> Result<SqlValue, serde_json::Error> {
    Ok(serde_json::to_string(value)?.into())
}

/// The row of an exchange of a run.
pub(super) fn exchange_values(organization: OrganizationId, recorded: &RecordedExchange, run: RunId, retry: bool) -> Vec<SqlValue> {
    let exchange = &recorded.exchange;
    let position = |p: Option<Position>| SqlValue::Int(p.map(|p| i64::try_from(p).unwrap_or(i64::MAX)));
    vec![
        organization.into(),
        recorded.number.into(),
        exchange.id.to_string().into(),
        run.to_string().into(),
        micros(exchange.received_at).into(),
        bounded(&exchange.operation, WORD_BYTES).into(),
        subject(exchange).map(|s| bounded(&s, WORD_BYTES)).into(),
        i64::from(exchange.answer.status).into(),
        position(recorded.positions.map(|p| p.0)),
        position(recorded.positions.map(|p| p.1)),
        retry.into(),
    ]
}

/// Reads a run's row.
pub(super) fn run_row(row: &SqlRow) -> Result<RunRow, SqlError> {
    let place = match (row.optional_int(22)?, row.optional_int(23)?, row.optional_int(24)?) {
        (Some(since_previous), Some(usual), Some(missed)) => Some(Place { since_previous, usual, missed }),
        _ => None,
    };
    Ok(RunRow {
        id: id(row.text(1)?)?,
        first: count(row.int(2)?)?,
        first_exchange: id(row.text(3)?)?,
        last: count(row.int(4)?)?,
        kind: RunKind::parse(row.text(5)?).ok_or_else(|| SqlError::Shape("the kind of a run is not known".to_owned()))?,
        confidence: Confidence::parse(row.text(6)?).ok_or_else(|| SqlError::Shape("a confidence is not known".to_owned()))?,
        evidence: parsed(row.text(7)?)?,
        open: row.int(8)? != 0,
        token: id(row.text(9)?)?,
        sources: parsed(row.text(10)?)?,
        began: instant(row.int(11)?)?,
        ended: instant(row.int(12)?)?,
        exchanges: count(row.int(13)?)?,
        operations: parsed(row.text(14)?)?,
        changes: count(row.int(15)?)?,
        events: count(row.int(16)?)?,
        failures: count(row.int(17)?)?,
        retries: count(row.int(18)?)?,
        users: count(row.int(19)?)?,
        groups: count(row.int(20)?)?,
        written: count(row.int(21)?)?,
        place,
    })
}

/// Reads the row of an exchange of a run.
pub(super) fn exchange_row(row: &SqlRow) -> Result<RunExchange, SqlError> {
    let positions = match (row.optional_int(8)?, row.optional_int(9)?) {
        (Some(first), Some(last)) => Some((count(first)?, count(last)?)),
        _ => None,
    };
    Ok(RunExchange {
        number: count(row.int(1)?)?,
        id: id(row.text(2)?)?,
        run: id(row.text(3)?)?,
        at: instant(row.int(4)?)?,
        operation: row.text(5)?.to_owned(),
        subject: row.optional_text(6)?.map(str::to_owned),
        status: u16::try_from(row.int(7)?).map_err(|_| SqlError::Shape("a status is no HTTP status".to_owned()))?,
        positions,
        retry: row.int(10)? != 0,
    })
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, SqlError> {
    serde_json::from_str(text).map_err(|e| SqlError::Shape(format!("{}: {e}", RUNS.name)))
}
