//! Members of a group as they are sent: ids of resources that exist.

use super::canonical::wrong_type;
use super::error::{ScimError, quoted};
use super::object::member;
use crate::ids::ResourceId;
use crate::interpretation::{Notes, Reading};
use serde_json::Value;
use std::collections::HashSet;

/// The members a value names, each once, in order. Whether they exist is checked elsewhere.
pub(super) fn decode(value: &Value, notes: &mut Notes) -> Result<Vec<ResourceId>, ScimError> {
    let mut found = Vec::new();
    for text in texts(value, notes)? {
        let id = text.parse().map_err(|_| {
            let name = quoted(text);
            ScimError::invalid_value(format!(
                "member {name} does not exist: the value of a member is the id Rollcall gave to a user or group"
            ))
        })?;
        found.push(id);
    }
    Ok(once(found))
}

/// The members to take out. What cannot be an id is no member, so taking it out is done already.
pub(super) fn decode_removed(value: &Value, notes: &mut Notes) -> Result<Vec<ResourceId>, ScimError> {
    let found = texts(value, notes)?;
    Ok(removable(found, notes))
}

/// The ids among these texts; the others are noted.
pub(super) fn removable<'a>(texts: impl IntoIterator<Item = &'a str>, notes: &mut Notes) -> Vec<ResourceId> {
    let mut ids = Vec::new();
    for text in texts {
        match text.parse() {
            Ok(id) => ids.push(id),
            Err(_) => notes.note(Reading::RemoveAbsent, "members"),
        }
    }
    once(ids)
}

fn once(mut ids: Vec<ResourceId>) -> Vec<ResourceId> {
    let mut seen = HashSet::with_capacity(ids.len());
    ids.retain(|id| seen.insert(*id));
    ids
}

fn texts<'a>(value: &'a Value, notes: &mut Notes) -> Result<Vec<&'a str>, ScimError> {
    let items = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => items.as_slice(),
        one => {
            if one.is_object() {
                notes.note(Reading::SingleAsArray, "members");
            }
            std::slice::from_ref(one)
        }
    };
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        let id = match item {
            Value::String(_) => {
                notes.note(Reading::MemberAsString, "members");
                item
            }
            Value::Object(object) => match member(object, "value") {
                Some(id) => id,
                None => return Err(ScimError::invalid_value("a member has no value: send the id of the user or group as its value")),
            },
            other => return Err(wrong_type("members", "objects such as {\"value\": \"id\"}", other)),
        };
        match id {
            Value::String(s) => found.push(s.as_str()),
            other => return Err(wrong_type("members.value", "the id of a user or group", other)),
        }
    }
    Ok(found)
}
