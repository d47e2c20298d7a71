//! Values in canonical form: typed as the schema says, names in its case, nothing unassigned.

use super::attribute::AttributeDef;
use super::characteristic::AttributeType;
use super::error::{Rule, ScimError, quoted};
use super::is_unassigned;
use super::resource_kind::ResourceKind;
use super::{Attributes, get_ci, names};
use crate::fold_text::fold_user_name;
use crate::interpretation::{Notes, Reading};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// One sub-attribute of a value as sent, under its canonical name; none if it is unassigned.
pub(super) type Assigned = (String, Option<Value>);

/// The value of an attribute, or none if it is unassigned.
pub(super) fn whole(
    def: &'static AttributeDef,
    value: &Value,
    at: &str,
    notes: &mut Notes,
) -> Result<Option<Value>, ScimError> {
    if def.multi_valued {
        let values = elements(def, value, at, notes)?;
        return Ok((!values.is_empty()).then_some(Value::Array(values)));
    }
    single(def, value, at, notes)
}

/// The values of a multi-valued attribute; identical ones once.
pub(super) fn elements(
    def: &'static AttributeDef,
    value: &Value,
    at: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, ScimError> {
    let mut found = Vec::new();
    match value {
        Value::Array(items) => {
            for item in items {
                found.extend(element(def, item, at, notes)?);
            }
        }
        other if is_unassigned(other) => note_empty(other, at, notes),
        other => {
            let one = element(def, other, at, notes)?;
            notes.note(Reading::SingleAsArray, at);
            found.extend(one);
        }
    }
    collapse(&mut found);
    check_primary(&found, at)?;
    Ok(found)
}

/// One value of a multi-valued attribute.
fn element(
    def: &'static AttributeDef,
    item: &Value,
    at: &str,
    notes: &mut Notes,
) -> Result<Option<Value>, ScimError> {
    if !def.is_complex() {
        return scalar(def, item, at, notes);
    }
    match item {
        Value::Object(map) => {
            let parts = parts(def, map, at, notes)?;
            let emptied = parts.iter().any(|(_, v)| v.is_none());
            let object: Map<String, Value> =
                parts.into_iter().filter_map(|(k, v)| v.map(|v| (k, v))).collect();
            // What it would be for makes no value.
            if is_bare(&object) {
                if !object.is_empty() && !emptied {
                    notes.note(Reading::EmptyElementDropped, at);
                }
                return Ok(None);
            }
            Ok(Some(Value::Object(object)))
        }
        other if is_unassigned(other) => Ok(None),
        other => Err(not_an_element(at, other)),
    }
}

/// What is said of the values to take away: unlike a value to keep, its type alone may say it.
pub(super) fn descriptions(
    def: &'static AttributeDef,
    value: &Value,
    at: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, ScimError> {
    if !def.is_complex() {
        return elements(def, value, at, notes);
    }
    let items = match value {
        Value::Array(items) => items.as_slice(),
        one => {
            notes.note(Reading::SingleAsArray, at);
            std::slice::from_ref(one)
        }
    };
    let mut found = Vec::new();
    for item in items {
        let said: Map<String, Value> = match item {
            Value::Object(map) => parts(def, map, at, notes)?
                .into_iter()
                .filter_map(|(k, v)| v.map(|v| (k, v)))
                .collect(),
            other if is_unassigned(other) => continue,
            other => return Err(not_an_element(at, other)),
        };
        if !said.is_empty() {
            found.push(Value::Object(said));
        }
    }
    Ok(found)
}

fn not_an_element(at: &str, found: &Value) -> ScimError {
    wrong_type(at, "objects such as {\"value\": ...}", found)
}

/// The value of a single-valued attribute or sub-attribute, or none if it is unassigned.
pub(super) fn single(
    def: &'static AttributeDef,
    value: &Value,
    at: &str,
    notes: &mut Notes,
) -> Result<Option<Value>, ScimError> {
    if !def.is_complex() {
        return scalar(def, value, at, notes);
    }
    let parts = object_parts(def, value, at, notes)?;
    let object: Map<String, Value> =
        parts.into_iter().flatten().filter_map(|(k, v)| v.map(|v| (k, v))).collect();
    Ok((!object.is_empty()).then_some(Value::Object(object)))
}

/// The sub-attributes of one complex value; none if the whole value is unassigned.
pub(super) fn object_parts(
    def: &'static AttributeDef,
    value: &Value,
    at: &str,
    notes: &mut Notes,
) -> Result<Option<Vec<Assigned>>, ScimError> {
    let is_manager = def.name == "manager";
    match value {
        Value::Object(map) if !map.is_empty() => parts(def, map, at, notes).map(Some),
        Value::Array(items) if items.len() == 1 => {
            notes.note(
                if is_manager { Reading::ManagerAsArray } else { Reading::ArrayAsSingle },
                at,
            );
            match &items[0] {
                Value::Array(_) => Err(wrong_type(at, "an object", value)),
                item => object_parts(def, item, at, notes),
            }
        }
        Value::String(id) if is_manager && !id.is_empty() => {
            notes.note(Reading::ManagerAsString, at);
            Ok(Some(vec![("value".to_owned(), Some(Value::String(id.clone())))]))
        }
        other if is_unassigned(other) => {
            note_empty(other, at, notes);
            Ok(None)
        }
        other => Err(wrong_type(at, "an object", other)),
    }
}

/// The sub-attributes of an object. One that the schema does not have is refused, as in a path;
/// what is derived or read-only is left out.
fn parts(
    def: &'static AttributeDef,
    map: &Map<String, Value>,
    at: &str,
    notes: &mut Notes,
) -> Result<Vec<Assigned>, ScimError> {
    let mut found: Vec<Assigned> = Vec::new();
    for (key, value) in map {
        let (name, value) = match names::known_sub(def, key, notes) {
            Some(sub) if sub.name == "$ref" => continue,
            Some(sub) if sub.is_read_only() => {
                notes.note(Reading::ReadOnlyIgnored, format!("{at}.{}", sub.name));
                continue;
            }
            Some(sub) => {
                (sub.name.to_owned(), whole(sub, value, &format!("{at}.{}", sub.name), notes)?)
            }
            None => {
                let detail = format!("{at}: {}", names::unknown_sub(def, key));
                return Err(ScimError::invalid_path(detail).of_rule(Rule::UnknownSubAttribute));
            }
        };
        if found.iter().any(|(n, _)| n.eq_ignore_ascii_case(&name)) {
            return Err(ScimError::invalid_syntax(format!(
                "{at}.{name} stands twice in one value"
            )));
        }
        found.push((name, value));
    }
    let refers = |key: &str| get_ci(map, key).is_some_and(|(_, v)| !is_unassigned(v));
    if def.sub("$ref").is_some() && refers("$ref") && !found.iter().any(|(n, _)| n == "value") {
        return Err(ScimError::invalid_value(format!(
            "{at} has a $ref but no value: send the id as {at}.value"
        )));
    }
    Ok(found)
}

/// A simple value.
fn scalar(
    def: &'static AttributeDef,
    value: &Value,
    at: &str,
    notes: &mut Notes,
) -> Result<Option<Value>, ScimError> {
    let text = match (def.kind, value) {
        (_, Value::Array(items)) if items.len() == 1 && !items[0].is_array() => {
            notes.note(Reading::ArrayAsSingle, at);
            return scalar(def, &items[0], at, notes);
        }
        (_, other) if is_unassigned(other) => {
            note_empty(other, at, notes);
            return Ok(None);
        }
        (AttributeType::Boolean, Value::Bool(_)) => value.clone(),
        (AttributeType::Boolean, Value::String(s))
            if s.eq_ignore_ascii_case("true") || s.eq_ignore_ascii_case("false") =>
        {
            notes.note(Reading::StringBoolean, at);
            Value::Bool(s.eq_ignore_ascii_case("true"))
        }
        (AttributeType::Boolean, other) => return Err(wrong_type(at, "true or false", other)),
        (_, Value::String(_)) => value.clone(),
        (_, Value::Number(n)) => {
            notes.note(Reading::ScalarAsString, at);
            Value::String(n.to_string())
        }
        (_, Value::Bool(b)) => {
            notes.note(Reading::ScalarAsString, at);
            Value::String(b.to_string())
        }
        (_, other) => return Err(wrong_type(at, "a text", other)),
    };
    Ok(Some(text))
}

/// True if a value is unassigned, or all that it holds is.
pub(super) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().all(says_nothing),
        Value::Array(items) => items.iter().all(says_nothing),
        simple => is_unassigned(simple),
    }
}

/// What no schema describes, without what is unassigned.
pub(super) fn prune(value: &Value) -> Option<Value> {
    let pruned = match value {
        Value::Object(map) => Value::Object(
            map.iter().filter_map(|(k, v)| prune(v).map(|v| (k.clone(), v))).collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().filter_map(prune).collect()),
        simple => simple.clone(),
    };
    (!is_unassigned(&pruned)).then_some(pruned)
}

/// True if nothing is left of a value but what it was for.
pub(super) fn is_bare(element: &Map<String, Value>) -> bool {
    element.keys().all(|k| k.eq_ignore_ascii_case("type") || k.eq_ignore_ascii_case("primary"))
}

/// Takes away the values of which nothing is said but what they are for, and notes it: one
/// operation may make them and the next fill them, so this comes at the end of a request. `before`:
/// the resource as it was; what stands there already was taken by another version and is left
/// alone.
pub(super) fn drop_bare(
    kind: ResourceKind,
    attributes: &mut Attributes,
    before: &Attributes,
    notes: &mut Notes,
) {
    let mut emptied = Vec::new();
    for (name, value) in attributes.iter_mut() {
        let Some(def) = kind.attribute(name).filter(|d| d.multi_valued && d.is_complex()) else {
            continue;
        };
        let Value::Array(values) = value else { continue };
        let was_there =
            |v: &Value| before.get(name).and_then(Value::as_array).is_some_and(|b| b.contains(v));
        let count = values.len();
        values.retain(|v| !v.as_object().is_some_and(is_bare) || was_there(v));
        if values.len() < count {
            notes.note(Reading::EmptyElementDropped, def.name);
        }
        if values.is_empty() {
            emptied.push(name.clone());
        }
    }
    for name in emptied {
        attributes.remove(&name);
    }
}

/// True for the preferred value.
pub(super) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// Keeps the first of identical values.
pub(super) fn collapse(values: &mut Vec<Value>) {
    let keep: Vec<bool> = {
        let mut seen = HashSet::new();
        values.iter().map(|v| seen.insert(v)).collect()
    };
    let mut keep = keep.into_iter();
    values.retain(|_| keep.next().unwrap_or(true));
}

/// At most one value is the primary one (RFC 7643 section 2.4).
pub(super) fn check_primary(values: &[Value], at: &str) -> Result<(), ScimError> {
    if values.iter().filter(|v| is_primary(v)).count() > 1 {
        return Err(ScimError::invalid_value(format!(
            "{at} has more than one value with primary true; at most one can be"
        )));
    }
    Ok(())
}

/// Every user has a userName and says whether it is active; every group has a displayName.
pub(super) fn check_required(kind: ResourceKind, attributes: &Attributes) -> Result<(), ScimError> {
    let name = match kind {
        ResourceKind::User => "userName",
        ResourceKind::Group => "displayName",
    };
    match attributes.get(name) {
        Some(Value::String(s)) if !fold_user_name(s).is_empty() => Ok(()),
        _ => Err(ScimError::invalid_value(format!(
            "{name} is required and cannot be empty; map it to an attribute that always has a value"
        ))),
    }
}

/// Entra sends an empty string for what has no value; worth knowing where it does.
pub(super) fn note_empty(value: &Value, at: &str, notes: &mut Notes) {
    if value.is_string() {
        notes.note(Reading::EmptyAsUnassigned, at);
    }
}

pub(super) fn wrong_type(at: &str, expected: &str, found: &Value) -> ScimError {
    let found = match found {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(s) => quoted(s),
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    };
    ScimError::invalid_value(format!("{at} needs {expected}, not {found}"))
}
