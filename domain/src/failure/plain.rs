//! What a client plainly means by what it sends, also where that is refused: whether somebody is to
//! be switched off, and which members it names. Nothing is decided by this but how urgent a refusal
//! is.

use crate::ids::ResourceId;
use crate::scim::USER_URN;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// So deep is looked into a value.
const DEPTH: usize = 8;

/// Words for somebody who is to have no access, as directories and mappings have them.
const OFF: [&str; 16] = [
    "0",
    "blocked",
    "deactivated",
    "deleted",
    "deprovisioned",
    "disable",
    "disabled",
    "expired",
    "f",
    "false",
    "inactive",
    "locked",
    "n",
    "no",
    "off",
    "terminated",
];

/// Words for the opposite.
const ON: [&str; 7] = ["1", "active", "enabled", "on", "t", "true", "yes"];

/// Whether a name, or a path, is that of `active`: with or without its schema, and whatever a filter
/// or a part of it may mean.
pub(super) fn names_active(path: &str) -> bool {
    attribute(path).eq_ignore_ascii_case("active")
}

/// The same of `members`.
pub(super) fn names_members(path: &str) -> bool {
    attribute(path).eq_ignore_ascii_case("members")
}

/// The attribute that a path of a core schema begins with.
fn attribute(path: &str) -> &str {
    let path = path.trim();
    let head = path.split('[').next().unwrap_or_default();
    let head = head.rsplit(':').next().unwrap_or_default();
    head.split('.').next().unwrap_or_default().trim()
}

/// What a value of `active` says: that somebody is on, or off, or neither.
pub(super) fn says_active(value: &Value) -> Option<bool> {
    active_within(value, DEPTH)
}

fn active_within(value: &Value, depth: usize) -> Option<bool> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::Null => None,
        Value::Bool(active) => Some(*active),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        Value::String(text) => {
            let text = text.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
            let is_among = |words: &[&str]| words.contains(&text.as_str());
            is_among(&OFF).then_some(false).or_else(|| is_among(&ON).then_some(true))
        }
        // Of several, the one that takes something away.
        Value::Array(items) => {
            let said: Vec<bool> = items.iter().filter_map(|i| active_within(i, depth)).collect();
            said.first().map(|_| said.iter().all(|active| *active))
        }
        Value::Object(parts) => {
            named(parts, |name| name.eq_ignore_ascii_case("value") || names_active(name))
                .find_map(|part| active_within(part, depth))
        }
    }
}

/// What stands in a value for a whole user under `active`, however deep below the core schema.
pub(super) fn active_of(value: &Value) -> Option<bool> {
    let parts = object(value)?;
    let direct = named(&parts, names_active).find_map(says_active);
    direct.or_else(|| {
        named(&parts, |name| name.trim().eq_ignore_ascii_case(USER_URN)).find_map(active_of)
    })
}

/// What stands in a value for a whole group under `members`.
pub(super) fn members_of(value: &Value) -> Option<Value> {
    let parts = object(value)?;
    named(&parts, names_members).next().cloned()
}

/// An object, also one that is written as a text.
fn object(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(parts) => Some(parts.clone()),
        Value::String(text) if text.trim_start().starts_with('{') => {
            serde_json::from_str(text).ok()
        }
        _ => None,
    }
}

fn named(parts: &Map<String, Value>, is: impl Fn(&str) -> bool) -> impl Iterator<Item = &Value> {
    parts.iter().filter(move |(name, _)| is(name)).map(|(_, part)| part)
}

/// The ids of members that stand in a value, or in a path.
pub(super) fn ids_in(value: &Value) -> BTreeSet<ResourceId> {
    let mut found = BTreeSet::new();
    gather(value, DEPTH, &mut found);
    found
}

fn gather(value: &Value, depth: usize, found: &mut BTreeSet<ResourceId>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::String(text) => {
            let words = text.split(|c: char| !c.is_ascii_hexdigit() && c != '-');
            let ids = words.filter(|word| word.len() == 36);
            found.extend(
                ids.filter_map(|word| word.to_ascii_lowercase().parse::<ResourceId>().ok()),
            );
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, depth, found)),
        Value::Object(parts) => parts.values().for_each(|part| gather(part, depth, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whoever_is_plainly_to_be_off_is_off() {
        let off = [
            json!(false),
            json!("False"),
            json!("False "),
            json!(" FALSE"),
            json!("'false'"),
            json!("Disabled"),
            json!("no"),
            json!(0),
            json!(0.0),
            json!("0"),
            json!(["False"]),
            json!([true, false]),
            json!({"value": "False"}),
            json!([{"value": [false]}]),
        ];
        for value in off {
            assert_eq!(says_active(&value), Some(false), "{value}");
        }
        for value in [json!(true), json!("True"), json!(["true"]), json!(1)] {
            assert_eq!(says_active(&value), Some(true), "{value}");
        }
        for value in [json!(null), json!(""), json!([]), json!({}), json!("nonsense"), json!(7)] {
            assert_eq!(says_active(&value), None, "{value}");
        }
        for whole in [
            json!({"active": "no"}),
            json!({ USER_URN: {"active": false} }),
            json!({ format!("{USER_URN}:active"): false }),
            json!("{\"active\":false}"),
        ] {
            assert_eq!(active_of(&whole), Some(false), "{whole}");
        }
    }

    #[test]
    fn an_id_is_found_wherever_it_stands() {
        let id = "01a20bb3-b0ca-75d7-884c-59eedd7a7ae2";
        for value in [
            json!(format!("members[value eq \"{id}\"")),
            json!([{"$ref": format!("../Users/{id}")}]),
            json!(format!("{} ", id.to_uppercase())),
            json!(format!("[{{\"value\":\"{id}\"}}]")),
        ] {
            let found: Vec<String> = ids_in(&value).iter().map(ToString::to_string).collect();
            assert_eq!(found, [id], "{value}");
        }
        assert!(ids_in(&json!({"display": "Ada"})).is_empty());
    }
}
