//! Edits of the sub-attributes of one complex value.

use super::attribute::AttributeDef;
use super::canonical::{self, note_empty, prune, says_nothing};
use super::edit::Edit;
use super::error::ScimError;
use super::{get_ci, is_unassigned, names};
use crate::interpretation::{Notes, Reading};
use serde_json::{Map, Value};

/// One sub-attribute of one complex value.
pub(super) fn decide_sub(
    def: Option<&'static AttributeDef>,
    object: &mut Map<String, Value>,
    sub: &str,
    edit: Edit<'_>,
    at: &str,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let key = get_ci(object, sub).map_or_else(|| sub.to_owned(), |(k, _)| k.clone());
    let before = object.remove(&key);
    let after = match (edit, def.and_then(|d| names::known_sub(d, sub, notes))) {
        (Edit::Add(value), _) if says_nothing(value) => {
            notes.note(Reading::AddOfNothing, at);
            before
        }
        (Edit::Remove(_), _) => {
            if before.is_none() {
                notes.note(Reading::RemoveAbsent, at);
            }
            None
        }
        (Edit::Add(value) | Edit::Replace(value), Some(def)) => {
            canonical::single(def, value, at, notes)?
        }
        (Edit::Add(value) | Edit::Replace(value), None) => {
            if is_unassigned(value) {
                note_empty(value, at, notes);
            }
            prune(value)
        }
    };
    if let Some(after) = after {
        object.insert(key, after);
    }
    Ok(())
}

/// Sets the sub-attributes that are named. Those named as unassigned go, but not by an add.
pub(super) fn merge(
    object: &mut Map<String, Value>,
    parts: Vec<canonical::Assigned>,
    edit: Edit<'_>,
) {
    for (name, value) in parts {
        let key = get_ci(object, &name).map_or(name, |(k, _)| k.clone());
        match value {
            Some(value) => {
                object.insert(key, value);
            }
            None if matches!(edit, Edit::Add(_)) => {}
            None => {
                object.remove(&key);
            }
        }
    }
}
