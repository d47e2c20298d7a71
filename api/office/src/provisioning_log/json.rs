//! JSON: Graph's answer (`{"value": [...]}`), a list, or one object on each line.

use super::ParseError;
use super::entry::Texts;
use rollcall_domain::provisioning_log::{CHANGES_AT_ONCE, ImportedChange};
use serde_json::Value;

pub(super) fn parse(text: &str) -> Result<Vec<(String, ImportedChange)>, ParseError> {
    let mut entries = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        // serde's message may repeat a value; line and column do not.
        let document = document.map_err(|e| {
            ParseError::NotALog(format!("line {}, column {} is not JSON", e.line(), e.column()))
        })?;
        match document {
            Value::Array(list) => entries.extend(list),
            Value::Object(mut object) => match object.remove("value") {
                Some(Value::Array(list)) => entries.extend(list),
                Some(_) => return Err(ParseError::NotALog("\"value\" is no list".to_owned())),
                None => entries.push(Value::Object(object)),
            },
            _ => return Err(ParseError::NotALog("an entry is no object".to_owned())),
        }
        if entries.len() > CHANGES_AT_ONCE {
            return Err(ParseError::TooMany);
        }
    }
    let read = |(i, entry): (usize, &Value)| {
        read(entry).map_err(|why| ParseError::Entry { number: i + 1, why })
    };
    entries.iter().enumerate().map(read).collect()
}

/// Both spellings: that of v1.0 and the older one of beta; `errorInformation` and `errorInfo`.
fn read(entry: &Value) -> Result<(String, ImportedChange), String> {
    if !entry.is_object() {
        return Err("it is no object".to_owned());
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let first =
        |names: [&Value; 2]| names.into_iter().find(|v| !v.is_null()).cloned().unwrap_or_default();
    let info = first([&entry["provisioningStatusInfo"], &entry["statusInfo"]]);
    let error = first([&info["errorInformation"], &info["errorInfo"]]);
    let by =
        first([&entry["initiatedBy"]["initiatorType"], &entry["initiatedBy"]["initiatingType"]]);
    let (cycle, change, at) =
        (text(&entry["cycleId"]), text(&entry["changeId"]), text(&entry["activityDateTime"]));
    let took = text(&first([&entry["durationInMilliseconds"], &entry["duration"]]));
    let action = text(&first([&entry["provisioningAction"], &entry["action"]]));
    let (status, error) = (text(&info["status"]), text(&error["errorCode"]));
    let (target, initiator) = (text(&entry["targetIdentity"]["id"]), text(&by));
    Texts {
        cycle: &cycle,
        change: &change,
        at: &at,
        took_ms: &took,
        action: &action,
        status: &status,
        error: &error,
        target: &target,
        initiator: &initiator,
    }
    .read()
}
