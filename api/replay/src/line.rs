//! What a replay tells, line by line.

use chrono::{DateTime, Utc};
use rollcall_domain::exchange::{Exchange, Protocol};
use rollcall_domain::failure::never_arrived;
use rollcall_domain::log::{Record, RecordedExchange};
use rollcall_door::exchange::redact::PASSWORD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// One line of a replay's answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum ReplayLine {
    /// An exchange.
    Exchange(ExchangeLine),
    /// The last line.
    Summary(ReplaySummary),
    /// The last line, if the replay broke off.
    Broken {
        /// Why.
        detail: String,
    },
}

/// What became of an exchange in a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplayResult {
    /// The same events, byte for byte, and the same answer.
    Same,
    /// Other events than recorded.
    EventsDiffer,
    /// The same events and another answer, or another reading.
    AnswerDiffers,
    /// It could not be replayed; what it caused was copied.
    NotReplayed,
    /// It succeeds now (dry run and apply).
    Succeeds,
    /// It fails now (dry run and apply).
    Fails,
    /// It was not submitted again (apply).
    Refused,
}

/// Why an exchange cannot be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotReplayed {
    /// It is no SCIM request.
    OtherProtocol,
    /// A secret was taken out of it before it was kept.
    SecretsRemoved,
    /// Its body was dropped by the retention of bodies.
    BodyDropped,
    /// Its body never arrived whole, or was too long to be read.
    BodyNeverKept,
    /// It was answered out of the server's state at the time: overload, a broken store, a rate.
    ServerTrouble,
    /// It is a bulk request whose operations are exchanges of their own.
    ByItsParts,
}

impl NotReplayed {
    /// Why this exchange cannot be replayed at all, if it cannot.
    pub fn of(exchange: &Exchange) -> Option<Self> {
        if exchange.protocol != Protocol::Scim {
            return Some(NotReplayed::OtherProtocol);
        }
        if exchange.bodies_dropped {
            return Some(NotReplayed::BodyDropped);
        }
        // Exchanges of before have it in words.
        let is_password = |what: &String| what == PASSWORD || what.eq_ignore_ascii_case("the value of password");
        let only_passwords = exchange.redactions.iter().all(is_password);
        if !only_passwords || exchange.target.contains("=[removed]") {
            return Some(NotReplayed::SecretsRemoved);
        }
        let unread = never_arrived(exchange) || exchange.answer.status == 413;
        (unread && exchange.request_body.is_empty()).then_some(NotReplayed::BodyNeverKept)
    }

    /// The same in plain words.
    pub fn words(self) -> &'static str {
        match self {
            NotReplayed::OtherProtocol => "it is no SCIM request",
            NotReplayed::SecretsRemoved => "a secret was taken out of it before it was kept",
            NotReplayed::BodyDropped => "its body was dropped by the retention of bodies",
            NotReplayed::BodyNeverKept => "its body never arrived whole, or was too long to be read",
            NotReplayed::ServerTrouble => "its answer came from the server's state at the time, not from the request",
            NotReplayed::ByItsParts => "its operations are exchanges of their own",
        }
    }
}

/// An answer, shortened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnswerSummary {
    /// HTTP status.
    pub status: u16,
    /// SCIM error type.
    pub scim_type: Option<String>,
    /// SCIM error text.
    pub detail: Option<String>,
}

impl AnswerSummary {
    /// Of an exchange.
    pub fn of(exchange: &Exchange) -> Self {
        let answer = &exchange.answer;
        Self { status: answer.status, scim_type: answer.scim_type.clone(), detail: answer.detail.clone() }
    }
}

/// An event, as far as a difference needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventSummary {
    /// Position, if it has one.
    pub position: Option<u64>,
    /// Stable name of the event.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The aggregate's id.
    pub subject: Uuid,
    /// Place in the aggregate's stream.
    pub version: u64,
    /// What happened.
    pub payload: Value,
}

impl EventSummary {
    /// Of a record.
    pub fn of(record: &Record) -> Self {
        let payload: Value = serde_json::from_str(&record.payload).unwrap_or_default();
        Self {
            position: Some(record.position).filter(|p| *p > 0),
            event_type: record.event_type.clone(),
            subject: record.stream.id,
            version: record.version,
            payload: payload.get(&record.event_type).cloned().unwrap_or(payload),
        }
    }
}

/// One thing that came out otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// What: `events`, `status`, `answer`, `read_as`.
    pub what: String,
    /// As recorded.
    pub recorded: Value,
    /// As it came out.
    pub now: Value,
}

/// What became of one exchange.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExchangeLine {
    /// Place among the organization's exchanges.
    pub number: u64,
    /// Its id.
    pub id: Uuid,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// What was asked for.
    pub operation: String,
    /// The resource it was about.
    pub subject: Option<String>,
    /// What became of it.
    pub result: ReplayResult,
    /// Why it was not replayed, or not submitted.
    pub reason: Option<String>,
    /// What was answered then.
    pub recorded: AnswerSummary,
    /// What is answered now.
    pub now: Option<AnswerSummary>,
    /// What came out otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// The rules that changed since it was recorded and explain what came out otherwise (verify): a
    /// reading's name, or another rule's. Nothing explains a difference without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// The events it leads to now (dry run and apply).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventSummary>,
    /// The exchange that submitted it again (apply).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_as: Option<Uuid>,
}

impl ExchangeLine {
    /// About a recorded exchange.
    pub fn of(recorded: &RecordedExchange, result: ReplayResult) -> Self {
        let exchange = &recorded.exchange;
        Self {
            number: recorded.number,
            id: exchange.id.0,
            received_at: exchange.received_at,
            operation: exchange.operation.clone(),
            subject: exchange.subject.clone(),
            result,
            reason: None,
            recorded: AnswerSummary::of(exchange),
            now: None,
            differences: Vec::new(),
            rules: Vec::new(),
            events: Vec::new(),
            submitted_as: None,
        }
    }

    /// The same with a reason.
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// What became of all of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ReplaySummary {
    /// The last position that was copied before the first exchange ran; absent if none ran.
    pub forked_at: Option<u64>,
    /// Where the fork ended.
    pub ended_at: u64,
    /// Exchanges that were looked at.
    pub exchanges: u64,
    /// How many came out how.
    pub results: BTreeMap<ReplayResult, u64>,
    /// Why exchanges were not replayed.
    pub not_replayed: BTreeMap<NotReplayed, u64>,
    /// How many came out otherwise by which rule that changed since (verify).
    #[serde(default)]
    pub rules: BTreeMap<String, u64>,
    /// How many came out otherwise and no rule explains it, by result (verify).
    #[serde(default)]
    pub unexplained: BTreeMap<ReplayResult, u64>,
    /// Records that came out byte for byte.
    pub records_same: u64,
    /// Records that replayed exchanges had caused and that did not come out so.
    pub records_differ: u64,
    /// Records copied because no exchange caused them: the operator did.
    pub records_of_no_exchange: u64,
    /// Records copied because the exchange that caused them was not replayed.
    pub records_of_others: u64,
    /// Seconds it took.
    pub seconds: f64,
}

impl ReplaySummary {
    /// Counts an exchange.
    pub fn count(&mut self, result: ReplayResult) {
        self.exchanges += 1;
        *self.results.entry(result).or_default() += 1;
    }

    /// Counts one that came out otherwise, by its rules.
    pub fn explain(&mut self, result: ReplayResult, rules: &[String]) {
        for rule in rules {
            *self.rules.entry(rule.clone()).or_default() += 1;
        }
        if rules.is_empty() {
            *self.unexplained.entry(result).or_default() += 1;
        }
    }

    /// How many came out so.
    pub fn of(&self, result: ReplayResult) -> u64 {
        self.results.get(&result).copied().unwrap_or(0)
    }
}
