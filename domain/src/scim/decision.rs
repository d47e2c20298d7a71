//! The one decision for every attribute: what becomes of a value that is there, when something is
//! asked of it. However a value arrives (POST, PUT, PATCH with a path, with an object, without a
//! path, inside a value path or an element, in Bulk), it ends in [`decide`]; nothing else knows
//! type, arity, emptiness, mutability and case. `docs/scim-semantics.md` is the table of what it
//! answers, and `domain/tests/scim_matrix` walks it.
//!
//! Three hands: `canonical.rs` reads a value as the schema types it, `elements.rs` works on
//! attributes with several values, `parts.rs` on the sub-attributes of one.

use super::attribute::AttributeDef;
use super::canonical::{self, note_empty, prune, says_nothing};
use super::edit::{Decided, Edit, Target};
use super::elements;
use super::error::ScimError;
use super::is_unassigned;
use super::matching::matches_element;
use super::parts::{decide_sub, merge};
use crate::interpretation::{Notes, Reading};
use serde_json::{Map, Value};

/// Decides. An error changes nothing: neither this attribute nor, for the caller stops at it,
/// another.
pub(super) fn decide(
    target: Target<'_>,
    current: Option<Value>,
    edit: Edit<'_>,
    notes: &mut Notes,
) -> Decided {
    match edit {
        // An add never takes anything away (RFC 7644 section 3.5.2.1).
        Edit::Add(value) if says_nothing(value) => {
            notes.note(Reading::AddOfNothing, target.at);
            return Ok(current);
        }
        Edit::Remove(_) if current.is_none() => {
            notes.note(Reading::RemoveAbsent, target.at);
            return Ok(None);
        }
        _ => {}
    }
    // Without a schema, the values themselves say whether there can be several.
    let adds_several = matches!(edit, Edit::Add(Value::Array(_)));
    let looks_many =
        adds_several || target.filter.is_some() || matches!(current, Some(Value::Array(_)));
    let many = target.def.map_or(looks_many, |d| d.multi_valued);
    let before = current.is_some();
    let after = match many {
        true => elements::decide(target, current, edit, notes)?,
        false => decide_one(target, current, edit, notes)?,
    };
    if after.is_none() {
        guard_required(target, before)?;
    }
    Ok(after)
}

/// What a resource always has can be changed but not taken away.
fn guard_required(target: Target<'_>, before: bool) -> Result<(), ScimError> {
    match target.def {
        // Reading it as the default would let a person in again.
        Some(def) if def.required && before && def.name == "active" => Err(
            ScimError::invalid_value("active cannot be removed or empty: set it to true or false"),
        ),
        // One that is not there yet is missed once the whole body is read.
        Some(def) if def.required && before => Err(ScimError::mutability(format!(
            "{} is required and cannot be removed or empty",
            def.name
        ))),
        _ => Ok(()),
    }
}

/// An attribute with one value.
fn decide_one(
    target: Target<'_>,
    current: Option<Value>,
    edit: Edit<'_>,
    notes: &mut Notes,
) -> Decided {
    let Target { def, filter, sub, at } = target;
    if let Some(filter) = filter {
        notes.note(Reading::SingleValueFilter, at);
        match &current {
            Some(value) if matches_element(def, filter, value) => {}
            _ if edit.unassigns() => {
                notes.note(Reading::RemoveAbsent, at);
                return Ok(current);
            }
            None => {
                let made = elements::from_filter(def, filter, at)?;
                notes.note(Reading::ValuePathCreated, at);
                return decide_one(Target { filter: None, ..target }, Some(made), edit, notes);
            }
            Some(_) => {
                return Err(ScimError::no_target(format!(
                    "the value of {at} is another one than the path says"
                )));
            }
        }
    }
    let Some(sub) = sub else { return decide_whole(def, current, edit, at, notes) };
    let mut object = match current {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    decide_sub(def, &mut object, sub, edit, at, notes)?;
    Ok((!object.is_empty()).then_some(Value::Object(object)))
}

/// The one value as a whole.
fn decide_whole(
    def: Option<&'static AttributeDef>,
    current: Option<Value>,
    edit: Edit<'_>,
    at: &str,
    notes: &mut Notes,
) -> Decided {
    let Some(value) = edit.value() else { return Ok(None) };
    let Some(def) = def else { return Ok(decide_custom(current, edit, value, at, notes)) };
    if !def.is_complex() {
        return canonical::single(def, value, at, notes);
    }
    // The sub-attributes that are named change, the others stay (RFC 7644 sections 3.5.2.1 and
    // 3.5.2.3).
    let Some(parts) = canonical::object_parts(def, value, at, notes)? else { return Ok(None) };
    let mut object = match current {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    merge(&mut object, parts, edit);
    Ok((!object.is_empty()).then_some(Value::Object(object)))
}

/// What no schema describes becomes what was sent; objects are added to.
fn decide_custom(
    current: Option<Value>,
    edit: Edit<'_>,
    value: &Value,
    at: &str,
    notes: &mut Notes,
) -> Option<Value> {
    if is_unassigned(value) {
        note_empty(value, at, notes);
    }
    match (edit, current, prune(value)) {
        (Edit::Add(_), Some(Value::Object(mut object)), Some(Value::Object(new))) => {
            object.extend(new);
            Some(Value::Object(object))
        }
        (_, _, sent) => sent,
    }
}
