//! Rows of runs: tables, and what is written to them.

use crate::columns::columns;
use crate::text::bounded;
use chrono::{DateTime, Utc};
use rollcall_domain::ids::{ExchangeId, OrganizationId, RunId, TokenId};
use rollcall_domain::log::{ExchangeNumber, Position, RecordedExchange};
use rollcall_domain::run::{Confidence, Evidence, Place, Run, RunKind, subject};
use std::collections::BTreeMap;

const WORD_BYTES: usize = 200;

columns! {
    /// A run.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RunRow {
        /// Whose it is.
        pub organization: OrganizationId,
        /// Its id.
        pub id: RunId = "run",
        /// The number of its first exchange.
        pub first: ExchangeNumber = "first_number",
        /// Its first exchange.
        pub first_exchange: ExchangeId,
        /// The number of its last exchange.
        pub last: ExchangeNumber = "last_number",
        /// What it was.
        pub kind: RunKind,
        /// How sure that is.
        pub confidence: Confidence,
        /// Why.
        pub evidence: Vec<Evidence>,
        /// True if nothing has ended it as far as the log goes; whether it is silent is for the
        /// reader to say.
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
        pub place: Option<Place> = ("since_previous", "usual", "missed"),
    }

    /// One row for each run.
    pub table RUNS = "runs" {
        key: ["organization", "run"],
        indexes: [["organization", "first_number"], ["organization", "kind", "first_number"], ["organization", "began"]],
        order: "first_number",
    }
}

columns! {
    /// An exchange of a run, without what is said of it elsewhere.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RunExchange {
        /// Whose it is.
        pub organization: OrganizationId,
        /// Its number.
        pub number: ExchangeNumber,
        /// Its id.
        pub id: ExchangeId,
        /// Its run.
        pub run: RunId,
        /// When it came in.
        pub at: DateTime<Utc> = "received_at",
        /// The operation.
        pub operation: String,
        /// The resource it was about.
        pub subject: Option<String>,
        /// The status answered.
        pub status: u16,
        /// First and last position it produced.
        pub positions: Option<(Position, Position)> = ("first_position", "last_position"),
        /// True if it tried again what failed in an earlier run.
        pub retry: bool,
    }

    /// One row for each exchange that is part of a run.
    pub table RUN_EXCHANGES = "run_exchanges" {
        key: ["organization", "number"],
        indexes: [["organization", "run", "number"], ["organization", "received_at"], ["organization", "id"]],
        order: "number",
    }
}

impl RunExchange {
    /// True if it asked for a change.
    pub fn is_write(&self) -> bool {
        let verb = self.operation.split_once('.').map_or("", |(_, verb)| verb);
        matches!(verb, "create" | "patch" | "replace" | "delete")
    }
}

/// The row of a run.
pub(super) fn run_row(organization: OrganizationId, run: Run) -> RunRow {
    let tally = run.tally;
    RunRow {
        organization,
        id: run.id,
        first: tally.first,
        first_exchange: tally.first_id,
        last: tally.last,
        kind: run.kind,
        confidence: run.confidence,
        evidence: run.evidence,
        open: run.open,
        token: run.token,
        sources: run.sources,
        began: tally.began,
        ended: tally.ended,
        exchanges: tally.exchanges,
        users: tally.users.count(),
        groups: tally.groups.count(),
        written: tally.written.count(),
        operations: tally.operations,
        changes: tally.changes,
        events: tally.events,
        failures: tally.failures,
        retries: tally.retries,
        place: run.place,
    }
}

/// The row of an exchange of a run.
pub(super) fn exchange_row(
    organization: OrganizationId,
    recorded: &RecordedExchange,
    run: RunId,
    retry: bool,
) -> RunExchange {
    let exchange = &recorded.exchange;
    RunExchange {
        organization,
        number: recorded.number,
        id: exchange.id,
        run,
        at: exchange.received_at,
        operation: bounded(&exchange.operation, WORD_BYTES),
        subject: subject(exchange).map(|s| bounded(&s, WORD_BYTES)),
        status: exchange.answer.status,
        positions: recorded.positions,
        retry,
    }
}
