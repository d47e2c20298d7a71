//! From what was recorded to the lines that a replay tells.

use rollcall_contract::replay::{
    AnswerSummary, EventSummary, ExchangeLine, NotReplayed, ReplayResult,
};
use rollcall_domain::exchange::{Exchange, Protocol};
use rollcall_domain::failure::never_arrived;
use rollcall_domain::log::{Record, RecordedExchange};
use rollcall_door::exchange::redact::PASSWORD;
use serde_json::Value;

/// What a bundle notes where a body is no JSON, so that names in it could not be replaced.
pub const NO_PSEUDONYMS: &str = "no-pseudonyms";

/// Why this exchange cannot be replayed at all, if it cannot.
pub fn not_replayed(exchange: &Exchange) -> Option<NotReplayed> {
    if exchange.protocol != Protocol::Scim {
        return Some(NotReplayed::OtherProtocol);
    }
    if exchange.redactions.iter().any(|what| what == NO_PSEUDONYMS) {
        return Some(NotReplayed::NoPseudonyms);
    }
    if exchange.bodies_dropped {
        return Some(NotReplayed::BodyDropped);
    }
    // Exchanges of before have it in words.
    let is_password =
        |what: &String| what == PASSWORD || what.eq_ignore_ascii_case("the value of password");
    let only_passwords = exchange.redactions.iter().all(is_password);
    if !only_passwords || exchange.target.contains("=[removed]") {
        return Some(NotReplayed::SecretsRemoved);
    }
    let unread = never_arrived(exchange) || exchange.answer.status == 413;
    (unread && exchange.request_body.is_empty()).then_some(NotReplayed::BodyNeverKept)
}

/// The answer of an exchange, shortened.
pub fn answer(exchange: &Exchange) -> AnswerSummary {
    let answer = &exchange.answer;
    AnswerSummary {
        status: answer.status,
        scim_type: answer.scim_type.clone(),
        detail: answer.detail.clone(),
    }
}

/// The event of a record.
pub fn event(record: &Record) -> EventSummary {
    let payload: Value = serde_json::from_str(&record.payload).unwrap_or_default();
    EventSummary {
        position: Some(record.position).filter(|p| *p > 0),
        event_type: record.event_type.clone(),
        subject: record.stream.id,
        version: record.version,
        payload: payload.get(&record.event_type).cloned().unwrap_or(payload),
    }
}

/// The line of a recorded exchange, without what came out now.
pub fn of(recorded: &RecordedExchange, result: ReplayResult) -> ExchangeLine {
    let exchange = &recorded.exchange;
    ExchangeLine {
        number: recorded.number,
        id: exchange.id.0,
        received_at: exchange.received_at,
        operation: exchange.operation.clone(),
        subject: exchange.subject.clone(),
        result,
        reason: None,
        recorded: answer(exchange),
        now: None,
        differences: Vec::new(),
        rules: Vec::new(),
        events: Vec::new(),
        submitted_as: None,
    }
}
