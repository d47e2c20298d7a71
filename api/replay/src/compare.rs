//! What came out otherwise.

use super::line;
use super::scratch::Ran;
use rollcall_contract::replay::Difference;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::log::Record;
use serde_json::{Value, json};

/// Compares an exchange, and what it caused, with how they came out now. The first part tells
/// whether the events are the same.
pub fn compare(recorded: &Exchange, caused: &[Record], ran: &Ran) -> (bool, Vec<Difference>) {
    let now = &ran.exchange;
    let same_events = ran.wish.events == caused;
    let mut pairs = vec![("status", json!(recorded.answer.status), json!(now.answer.status))];
    if recorded.answer.body_kept && now.answer.body_kept && !recorded.bodies_dropped {
        pairs.push(("answer", body(&recorded.answer_body), body(&now.answer_body)));
    }
    pairs.push(("read_as", json!(recorded.interpretations), json!(now.interpretations)));
    pairs.retain(|(_, recorded, now)| recorded != now);
    if !same_events {
        // Told in any case: records may differ in what a summary does not show.
        let list = |records: &[Record]| json!(records.iter().map(line::event).collect::<Vec<_>>());
        pairs.insert(0, ("events", list(caused), list(&ran.wish.events)));
    }
    let difference = |(what, recorded, now): (&str, Value, Value)| Difference {
        what: what.to_owned(),
        recorded,
        now,
    };
    (same_events, pairs.into_iter().map(difference).collect())
}

/// A body with the addresses of this server cut down to what is below its public URL, which may
/// have changed since.
fn body(bytes: &[u8]) -> Value {
    match serde_json::from_slice(bytes) {
        Ok(mut value) => {
            strip(&mut value);
            value
        }
        Err(_) => Value::from(String::from_utf8_lossy(bytes)),
    }
}

fn strip(value: &mut Value) {
    match value {
        Value::String(text) => {
            if text.starts_with("http")
                && let Some(at) = text.find(rollcall_door::SCIM_PREFIX)
            {
                *text = text[at..].to_owned();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Object(map) => map.values_mut().for_each(strip),
        _ => {}
    }
}
