//! Members of a group as they are sent: ids of resources that exist.

use super::attribute::AttributeDef;
use super::canonical::wrong_type;
use super::error::{Rule, ScimError, quoted};
use super::object::member;
use super::resource_kind::ResourceKind;
use super::{deletion_mark, names};
use crate::cause::Cause;
use crate::ids::ResourceId;
use crate::interpretation::{Notes, Reading};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The members that a value names, each once, in order.
pub(super) struct Named {
    /// Who is to be one. Whether they exist is checked elsewhere.
    pub kept: Vec<ResourceId>,
    /// Who is not, by a deletion mark.
    pub removed: Vec<ResourceId>,
}

/// The members a value names.
pub(super) fn decode(value: &Value, notes: &mut Notes) -> Result<Named, ScimError> {
    let Some((marked, rest)) = deletion_mark::split(value) else {
        return Ok(Named { kept: decode_kept(value, notes)?, removed: Vec::new() });
    };
    notes.note(Reading::DeletionMark, "members");
    Ok(Named { kept: decode_kept(&rest, notes)?, removed: decode_removed(&marked, notes)? })
}

fn decode_kept(value: &Value, notes: &mut Notes) -> Result<Vec<ResourceId>, ScimError> {
    let mut found = Vec::new();
    for text in texts(value, notes)? {
        let id = text.parse().map_err(|_| {
            let name = quoted(text);
            ScimError::invalid_value(format!(
                "member {name} does not exist: the value of a member is the id Rollcall gave to a user or group"
            ))
            .because(Cause::MemberUnknown)
        })?;
        found.push(id);
    }
    Ok(once(found))
}

/// The members to take out. What cannot be an id is no member, so taking it out is done already.
pub(super) fn decode_removed(
    value: &Value,
    notes: &mut Notes,
) -> Result<Vec<ResourceId>, ScimError> {
    let found = texts(value, notes)?;
    Ok(removable(found, notes))
}

/// The ids among these texts; the others are noted.
pub(super) fn removable<'a>(
    texts: impl IntoIterator<Item = &'a str>,
    notes: &mut Notes,
) -> Vec<ResourceId> {
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

/// The id in one member; what else is said of the member is derived from it.
fn value_of(object: &Map<String, Value>) -> Result<Option<&Value>, ScimError> {
    let def = ResourceKind::Group.attribute("members");
    for key in object.keys() {
        // Its name as others show it, which Okta and others send along.
        let is_known =
            |def: &AttributeDef| def.sub(key).is_some() || key.eq_ignore_ascii_case("display");
        if let Some(def) = def.filter(|def| !is_known(def)) {
            let detail = format!("members: {}", names::unknown_sub(def, key));
            return Err(ScimError::invalid_path(detail).of_rule(Rule::UnknownSubAttribute));
        }
    }
    Ok(member(object, "value"))
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
            Value::Object(object) => match value_of(object)? {
                Some(id) => id,
                None => {
                    return Err(ScimError::invalid_value(
                        "a member has no value: send the id of the user or group as its value",
                    ));
                }
            },
            other => {
                return Err(wrong_type("members", "objects such as {\"value\": \"id\"}", other));
            }
        };
        match id {
            Value::String(s) => found.push(s.as_str()),
            other => return Err(wrong_type("members.value", "the id of a user or group", other)),
        }
    }
    Ok(found)
}
