//! Intents applied to attributes (RFC 7644 section 3.5.2), with the exceptions Entra needs: a value
//! path that matches nothing creates the value, taking away what is not there is fine, and an empty
//! string means unassigned.

use super::canonical::{self, note_empty, prune, wrong_type};
use super::elements;
use super::error::ScimError;
use super::intent::Intent;
use super::limits::{Effort, check_resource};
use super::object::is_stray_schemas;
use super::path::AttributePath;
use super::schema::{AttributeDef, ResourceKind};
use super::{Attributes, get_ci, is_unassigned};
use crate::interpretation::{Notes, Reading};
use serde_json::{Map, Value};

/// One change at one place.
#[derive(Clone, Copy)]
pub(super) enum Edit<'a> {
    /// Add to what is there.
    Add(&'a Value),
    /// Put in its place.
    Replace(&'a Value),
    /// Take away, or only these values.
    Remove(Option<&'a Value>),
}

impl<'a> Edit<'a> {
    /// The value to set; none if the edit takes away.
    pub(super) fn value(self) -> Option<&'a Value> {
        match self {
            Edit::Add(v) | Edit::Replace(v) => Some(v),
            Edit::Remove(_) => None,
        }
    }
}

/// Applies the intents about attributes in order, to a copy: all of them or, on an error, none.
/// Those about members are the group's to decide and are skipped here.
pub fn apply_intents(kind: ResourceKind, attributes: &Attributes, intents: &[Intent], notes: &mut Notes) -> Result<Attributes, ScimError> {
    let mut copy = attributes.clone();
    let mut effort = Effort::default();
    for intent in intents {
        let (path, change) = match intent {
            Intent::Add { path, value } => (path, Edit::Add(value)),
            Intent::Replace { path, value } => (path, Edit::Replace(value)),
            Intent::Remove { path, value } => (path, Edit::Remove(value.as_ref())),
            Intent::AddMembers(_) | Intent::RemoveMembers(_) | Intent::ReplaceMembers(_) | Intent::ClearMembers => continue,
        };
        guard_required(kind, path, change)?;
        effort.spend(values_looked_at(&copy, path, change))?;
        edit(kind, &mut copy, path, change, notes)?;
        if path.urn.is_none() && path.def(kind).is_some_and(|d| d.required) {
            if !copy.contains_key(&path.attribute) {
                // An array around nothing is nothing, too.
                guard_required(kind, path, Edit::Remove(None))?;
            }
            canonical::check_required(kind, &copy)?;
        }
    }
    check_resource(&copy)?;
    Ok(copy)
}

/// How many values an edit compares.
fn values_looked_at(attributes: &Attributes, path: &AttributePath, change: Edit<'_>) -> usize {
    let count = |value: Option<&Value>| value.and_then(Value::as_array).map_or(0, Vec::len);
    let container = match &path.urn {
        None => Some(attributes),
        Some(urn) => get_ci(attributes, urn).and_then(|(_, extension)| extension.as_object()),
    };
    let present = count(container.and_then(|c| get_ci(c, &path.attribute)).map(|(_, value)| value));
    match change {
        // Each value is held against each of those to take away.
        Edit::Remove(Some(unwanted)) => present.saturating_mul(count(Some(unwanted)).max(1)),
        Edit::Remove(None) => present,
        Edit::Add(new) | Edit::Replace(new) => present + count(Some(new)),
    }
}

/// What a resource always has can be changed but not taken away.
pub(super) fn guard_required(kind: ResourceKind, path: &AttributePath, change: Edit<'_>) -> Result<(), ScimError> {
    let taken_away = change.value().is_none_or(is_unassigned);
    match path.def(kind) {
        // Reading it as the default would let a person in again.
        Some(def) if def.required && taken_away && def.name == "active" => {
            Err(ScimError::invalid_value("active cannot be removed or empty: set it to true or false"))
        }
        Some(def) if def.required && taken_away => {
            Err(ScimError::mutability(format!("{} is required and cannot be removed or empty", def.name)))
        }
        _ => Ok(()),
    }
}

/// Changes one place of a resource.
pub(super) fn edit(
    kind: ResourceKind,
    attributes: &mut Attributes,
    path: &AttributePath,
    change: Edit<'_>,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let Some(urn) = &path.urn else {
        return edit_attribute(path.def(kind), attributes, path, change, notes);
    };
    let key = get_ci(attributes, urn).map_or_else(|| urn.clone(), |(k, _)| k.clone());
    let mut extension = match attributes.remove(&key) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    if path.is_schema() {
        edit_schema(kind, &mut extension, urn, change, notes)?;
    } else {
        edit_attribute(path.def(kind), &mut extension, path, change, notes)?;
    }
    if !extension.is_empty() {
        attributes.insert(key, Value::Object(extension));
    }
    Ok(())
}

/// All attributes of an extension at once.
fn edit_schema(
    kind: ResourceKind,
    extension: &mut Map<String, Value>,
    urn: &str,
    change: Edit<'_>,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    match change {
        Edit::Remove(_) => {
            if extension.is_empty() {
                notes.note(Reading::RemoveAbsent, urn);
            }
            extension.clear();
        }
        Edit::Replace(value) if is_unassigned(value) => {
            note_empty(value, urn, notes);
            extension.clear();
        }
        Edit::Add(value) if is_unassigned(value) => note_empty(value, urn, notes),
        Edit::Add(Value::Object(map)) | Edit::Replace(Value::Object(map)) => {
            for (name, value) in map {
                if is_stray_schemas(name, notes) {
                    continue;
                }
                let mut path = AttributePath::extension(urn, name);
                if let Some(schema) = kind.extension(urn) {
                    let unknown = || ScimError::invalid_path(format!("{urn} has no attribute \"{name}\""));
                    path.attribute = schema.attribute(name).ok_or_else(unknown)?.name.to_owned();
                }
                let change = if matches!(change, Edit::Add(_)) { Edit::Add(value) } else { Edit::Replace(value) };
                edit_attribute(path.def(kind), extension, &path, change, notes)?;
            }
        }
        Edit::Add(other) | Edit::Replace(other) => return Err(wrong_type(urn, "an object of attributes", other)),
    }
    Ok(())
}

/// One attribute among its siblings.
fn edit_attribute(
    def: Option<&'static AttributeDef>,
    siblings: &mut Map<String, Value>,
    path: &AttributePath,
    change: Edit<'_>,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let key = get_ci(siblings, &path.attribute).map_or_else(|| path.attribute.clone(), |(k, _)| k.clone());
    let current = siblings.remove(&key);
    let at = path.label();
    if let Edit::Remove(_) = change
        && current.is_none()
    {
        notes.note(Reading::RemoveAbsent, at);
        return Ok(());
    }
    // Without a schema, the values themselves say whether there can be several.
    let adds_several = matches!(change, Edit::Add(Value::Array(_)));
    let looks_many = adds_several || path.filter.is_some() || matches!(current, Some(Value::Array(_)));
    let many = def.map_or(looks_many, |d| d.multi_valued);
    let after = match (&path.filter, &path.sub) {
        (Some(filter), sub) => elements::edit_matching(def, current, filter, sub.as_deref(), change, &at, notes)?,
        (None, Some(sub)) if many => elements::edit_only(def, current, sub, change, &at, notes)?,
        (None, Some(sub)) => {
            let mut object = match current {
                Some(Value::Object(map)) => map,
                _ => Map::new(),
            };
            edit_sub(def, &mut object, sub, change, &at, notes)?;
            (!object.is_empty()).then_some(Value::Object(object))
        }
        (None, None) if many => elements::edit_all(def, current, change, &at, notes)?,
        (None, None) => edit_single(def, current, change, &at, notes)?,
    };
    if let Some(after) = after {
        siblings.insert(key, after);
    }
    Ok(())
}

/// A single-valued attribute as a whole.
fn edit_single(
    def: Option<&'static AttributeDef>,
    current: Option<Value>,
    change: Edit<'_>,
    at: &str,
    notes: &mut Notes,
) -> Result<Option<Value>, ScimError> {
    let Some(value) = change.value() else { return Ok(None) };
    let Some(def) = def else {
        return Ok(edit_custom(current, change, value, at, notes));
    };
    if !def.is_complex() {
        return canonical::single(def, value, at, notes);
    }
    match (change, value) {
        // Nothing to add.
        (Edit::Add(_), Value::Object(map)) if map.is_empty() => return Ok(current),
        (Edit::Add(_), Value::Array(items)) if items.is_empty() => return Ok(current),
        _ => {}
    }
    // The sub-attributes that are named change, the others stay (RFC 7644 sections 3.5.2.1 and 3.5.2.3).
    let Some(parts) = canonical::object_parts(def, value, at, notes)? else { return Ok(None) };
    let mut object = match current {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    merge(&mut object, parts);
    Ok((!object.is_empty()).then_some(Value::Object(object)))
}

/// An attribute that no schema describes.
fn edit_custom(current: Option<Value>, change: Edit<'_>, value: &Value, at: &str, notes: &mut Notes) -> Option<Value> {
    note_empty_custom(value, at, notes);
    let sent = prune(value);
    match (change, current, sent) {
        (Edit::Add(_), Some(Value::Object(mut object)), Some(Value::Object(new))) => {
            object.extend(new);
            Some(Value::Object(object))
        }
        (_, _, sent) => sent,
    }
}

fn note_empty_custom(value: &Value, at: &str, notes: &mut Notes) {
    if is_unassigned(value) {
        note_empty(value, at, notes);
    }
}

/// One sub-attribute of one complex value.
pub(super) fn edit_sub(
    def: Option<&'static AttributeDef>,
    object: &mut Map<String, Value>,
    sub: &str,
    change: Edit<'_>,
    at: &str,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let key = get_ci(object, sub).map_or_else(|| sub.to_owned(), |(k, _)| k.clone());
    let before = object.remove(&key);
    let after = match (change.value(), def.and_then(|d| d.sub(sub))) {
        (None, _) => {
            if before.is_none() {
                notes.note(Reading::RemoveAbsent, at);
            }
            None
        }
        (Some(value), Some(def)) => canonical::single(def, value, at, notes)?,
        (Some(value), None) => {
            note_empty_custom(value, at, notes);
            prune(value)
        }
    };
    if let Some(after) = after {
        object.insert(key, after);
    }
    Ok(())
}

/// Sets the sub-attributes that are named, and unassigns those named as unassigned.
pub(super) fn merge(object: &mut Map<String, Value>, parts: Vec<(String, Option<Value>)>) {
    for (name, value) in parts {
        let key = get_ci(object, &name).map_or(name, |(k, _)| k.clone());
        match value {
            Some(value) => object.insert(key, value),
            None => object.remove(&key),
        };
    }
}
