//! Intents applied to attributes (RFC 7644 section 3.5.2): from a path to the attribute it names,
//! whose value `decision.rs` decides.

use super::canonical::{self, note_empty, wrong_type};
use super::decision::decide;
use super::edit::{Edit, Target};
use super::error::ScimError;
use super::filter::AttributePath;
use super::intent::Intent;
use super::limits::{Effort, check_resource};
use super::object::is_stray_schemas;
use super::resource_kind::ResourceKind;
use super::{Attributes, get_ci, is_unassigned};
use crate::interpretation::{Notes, Reading};
use serde_json::{Map, Value};

/// Applies the intents about attributes in order, to a copy: all of them or, on an error, none.
/// Those about members are the group's to decide and are skipped here.
pub fn apply_intents(
    kind: ResourceKind,
    attributes: &Attributes,
    intents: &[Intent],
    notes: &mut Notes,
) -> Result<Attributes, ScimError> {
    let mut copy = attributes.clone();
    let mut effort = Effort::default();
    for intent in intents {
        let (path, change) = match intent {
            Intent::Add { path, value } => (path, Edit::Add(value)),
            Intent::Replace { path, value } => (path, Edit::Replace(value)),
            Intent::Remove { path, value } => (path, Edit::Remove(value.as_ref())),
            Intent::AddMembers(_)
            | Intent::RemoveMembers(_)
            | Intent::ReplaceMembers(_)
            | Intent::ClearMembers => continue,
            // Whoever knows the resource as it is read has taken these out.
            Intent::Assert { path, .. } => return Err(read_only(path)),
        };
        effort.spend(values_looked_at(&copy, path, change))?;
        edit(kind, &mut copy, path, change, notes)?;
        if path.urn.is_none() && path.def(kind).is_some_and(|d| d.required) {
            canonical::check_required(kind, &copy)?;
        }
    }
    canonical::drop_bare(kind, &mut copy, attributes, notes);
    check_resource(&copy)?;
    Ok(copy)
}

/// Why an attribute that clients cannot write is not changed.
pub(super) fn read_only(path: &AttributePath) -> ScimError {
    ScimError::mutability(format!("{path} is read-only: remove it from the mapping"))
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

/// Changes one place of a resource.
pub(super) fn edit(
    kind: ResourceKind,
    attributes: &mut Attributes,
    path: &AttributePath,
    change: Edit<'_>,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let Some(urn) = &path.urn else { return edit_attribute(kind, attributes, path, change, notes) };
    let key = get_ci(attributes, urn).map_or_else(|| urn.clone(), |(k, _)| k.clone());
    let mut extension = match attributes.remove(&key) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    if path.is_schema() {
        edit_schema(kind, &mut extension, urn, change, notes)?;
    } else {
        edit_attribute(kind, &mut extension, path, change, notes)?;
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
        Edit::Add(value) if is_unassigned(value) => notes.note(Reading::AddOfNothing, urn),
        Edit::Add(Value::Object(map)) | Edit::Replace(Value::Object(map)) => {
            for (name, value) in map {
                if is_stray_schemas(name, notes) {
                    continue;
                }
                let mut path = AttributePath::extension(urn, name);
                if let Some(schema) = kind.extension(urn) {
                    let unknown =
                        || ScimError::invalid_path(format!("{urn} has no attribute \"{name}\""));
                    path.attribute = schema.attribute(name).ok_or_else(unknown)?.name.to_owned();
                }
                let change = if matches!(change, Edit::Add(_)) {
                    Edit::Add(value)
                } else {
                    Edit::Replace(value)
                };
                edit_attribute(kind, extension, &path, change, notes)?;
            }
        }
        Edit::Add(other) | Edit::Replace(other) => {
            return Err(wrong_type(urn, "an object of attributes", other));
        }
    }
    Ok(())
}

/// One attribute among its siblings.
fn edit_attribute(
    kind: ResourceKind,
    siblings: &mut Map<String, Value>,
    path: &AttributePath,
    change: Edit<'_>,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let key = get_ci(siblings, &path.attribute)
        .map_or_else(|| path.attribute.clone(), |(k, _)| k.clone());
    let current = siblings.remove(&key);
    let at = path.label();
    let target = Target {
        def: path.def(kind),
        filter: path.filter.as_deref(),
        sub: path.sub.as_deref(),
        at: &at,
    };
    if let Some(after) = decide(target, current, change, notes)? {
        siblings.insert(key, after);
    }
    Ok(())
}
