//! Edits of multi-valued attributes.

use super::attribute::AttributeDef;
use super::canonical::{self, collapse, is_bare, is_primary, note_empty, prune, wrong_type};
use super::deletion_mark;
use super::edit::{Decided, Edit, Target};
use super::error::ScimError;
use super::filter::Filter;
use super::matching::{is_equal, matches_element};
use super::parts::{decide_sub, merge};
use super::{get_ci, is_unassigned};
use crate::interpretation::{Notes, Reading};
use serde_json::{Map, Value};

type Def = Option<&'static AttributeDef>;

/// Decides for an attribute with several values.
pub(super) fn decide(
    target: Target<'_>,
    current: Option<Value>,
    edit: Edit<'_>,
    notes: &mut Notes,
) -> Decided {
    let Target { def, filter, sub, at } = target;
    match (filter, sub) {
        (Some(filter), sub) => edit_matching(def, current, filter, sub, edit, at, notes),
        (None, Some(sub)) => edit_only(def, current, sub, edit, at, notes),
        (None, None) => edit_all(def, current, edit, at, notes),
    }
}

fn values_of(current: Option<Value>) -> Vec<Value> {
    match current {
        None => Vec::new(),
        Some(Value::Array(values)) => values,
        Some(one) => vec![one],
    }
}

fn values_sent(
    def: Def,
    value: &Value,
    at: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, ScimError> {
    match def {
        Some(def) => canonical::elements(def, value, at, notes),
        None => Ok(values_of(prune(value))),
    }
}

fn descriptions(
    def: Def,
    value: &Value,
    at: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, ScimError> {
    match def {
        Some(def) => canonical::descriptions(def, value, at, notes),
        None => Ok(values_of(prune(value))),
    }
}

fn finish(mut values: Vec<Value>) -> Decided {
    collapse(&mut values);
    Ok((!values.is_empty()).then_some(Value::Array(values)))
}

/// The attribute as a whole.
fn edit_all(
    def: Def,
    current: Option<Value>,
    change: Edit<'_>,
    at: &str,
    notes: &mut Notes,
) -> Decided {
    let mut values = values_of(current);
    let marks = change.value().filter(|_| def.is_some()).and_then(deletion_mark::split);
    if let Some((marked, rest)) = marks {
        notes.note(Reading::DeletionMark, at);
        let unwanted = descriptions(def, &marked, at, notes)?;
        values.retain(|v| !unwanted.iter().any(|u| is_part(def, u, v)));
        // SCIM 1's changes are merged: what is not marked is added.
        return edit_all(def, Some(Value::Array(values)), Edit::Add(&rest), at, notes);
    }
    match change {
        Edit::Replace(value) => match def {
            Some(def) => values = canonical::elements(def, value, at, notes)?,
            // What no schema describes becomes what was sent.
            None => {
                if is_unassigned(value) {
                    note_empty(value, at, notes);
                }
                return Ok(prune(value));
            }
        },
        Edit::Add(value) => {
            collapse(&mut values);
            let before = values.len();
            values.extend(values_sent(def, value, at, notes)?);
            // A value that is there already is not new, even if it is the primary one.
            collapse(&mut values);
            move_primary(def, &mut values, |i| i >= before, at, notes);
        }
        Edit::Remove(None | Some(Value::Null)) => values.clear(),
        Edit::Remove(Some(value)) => {
            let unwanted = descriptions(def, value, at, notes)?;
            notes.note(Reading::MemberRemovalByValue, at);
            let before = values.len();
            values.retain(|v| !unwanted.iter().any(|u| is_part(def, u, v)));
            if values.len() == before {
                notes.note(Reading::RemoveAbsent, at);
            }
        }
    }
    finish(values)
}

/// True if all that is said of a value holds for it, compared as a filter would.
fn is_part(def: Def, said: &Value, value: &Value) -> bool {
    match (said, value) {
        (Value::Object(said), Value::Object(value)) => {
            let holds = |(key, said): (&String, &Value)| {
                let there = get_ci(value, key).map(|(_, there)| there);
                there.is_some_and(|there| is_equal(def.and_then(|d| d.sub(key)), there, said))
            };
            said.iter().all(holds)
        }
        _ => is_equal(def, value, said),
    }
}

/// One sub-attribute without a filter: of all values when it is taken away, of the only one when it
/// is set.
fn edit_only(
    def: Def,
    current: Option<Value>,
    sub: &str,
    change: Edit<'_>,
    at: &str,
    notes: &mut Notes,
) -> Decided {
    let mut values = values_of(current);
    let unassigns = change.unassigns();
    if !unassigns && values.len() > 1 {
        let message = format!(
            "{at} could mean any of {} values: say which one, such as [type eq \"work\"].{sub}",
            values.len()
        );
        return Err(ScimError::invalid_path(message));
    }
    if !unassigns && values.is_empty() {
        values.push(Value::Object(Map::new()));
    }
    edit_subs(def, &mut values, |_| true, sub, change, at, notes)?;
    finish(values)
}

/// The values that match a filter, or one sub-attribute of each.
fn edit_matching(
    def: Def,
    current: Option<Value>,
    filter: &Filter,
    sub: Option<&str>,
    change: Edit<'_>,
    at: &str,
    notes: &mut Notes,
) -> Decided {
    let mut values = values_of(current);
    let mut matching: Vec<bool> = values.iter().map(|v| matches_element(def, filter, v)).collect();
    let unassigns = change.unassigns();
    if !matching.contains(&true) {
        if unassigns {
            change.value().into_iter().for_each(|v| note_empty(v, at, notes));
            notes.note(Reading::RemoveAbsent, at);
            return finish(values);
        }
        values.push(from_filter(def, filter, at)?);
        matching.push(true);
        notes.note(Reading::ValuePathCreated, at);
        edit_chosen(def, &mut values, &matching, filter, sub, change, at, notes)?;
        // An element that its own path would not find again is not what was asked for.
        if !values.last().is_some_and(|v| matches_element(def, filter, v)) {
            return Err(no_target(at));
        }
    } else {
        edit_chosen(def, &mut values, &matching, filter, sub, change, at, notes)?;
    }
    check_primary(def, &values, at)?;
    finish(values)
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one path and one edit; a struct would only rename them"
)]
fn edit_chosen(
    def: Def,
    values: &mut Vec<Value>,
    matching: &[bool],
    filter: &Filter,
    sub: Option<&str>,
    change: Edit<'_>,
    at: &str,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let chosen = |i: usize| matching.get(i).copied().unwrap_or(false);
    if let Some(sub) = sub {
        return edit_subs(def, values, chosen, sub, change, at, notes);
    }
    let (value, replaces) = match change {
        Edit::Add(value) => (value, false),
        Edit::Replace(value) => (value, true),
        Edit::Remove(_) => {
            retain(values, |i, _| !chosen(i));
            return Ok(());
        }
    };
    let parts = match (def, value) {
        (_, value) if is_unassigned(value) => None,
        (Some(def), value) => canonical::object_parts(def, value, at, notes)?,
        (None, Value::Object(map)) => {
            Some(map.iter().map(|(k, v)| (k.clone(), prune(v))).collect())
        }
        (None, other) => return Err(wrong_type(at, "an object", other)),
    };
    let Some(parts) = parts else {
        note_empty(value, at, notes);
        if replaces {
            retain(values, |i, _| !chosen(i));
        }
        return Ok(());
    };
    for (_, value) in values.iter_mut().enumerate().filter(|(i, _)| chosen(*i)) {
        let mut object = match value {
            // What the path says of the value stays true of it unless the new value says otherwise.
            _ if replaces => {
                from_filter(def, filter, at).ok().and_then(into_object).unwrap_or_default()
            }
            Value::Object(map) => std::mem::take(map),
            _ => Map::new(),
        };
        merge(&mut object, parts.clone(), change);
        *value = Value::Object(object);
    }
    retain(values, |i, v| !(chosen(i) && v.as_object().is_some_and(Map::is_empty)));
    move_primary(def, values, chosen, at, notes);
    Ok(())
}

fn into_object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

/// One sub-attribute of the chosen values. A value of which nothing is left but what it was for
/// goes.
fn edit_subs(
    def: Def,
    values: &mut Vec<Value>,
    chosen: impl Fn(usize) -> bool,
    sub: &str,
    change: Edit<'_>,
    at: &str,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let unassigns = change.unassigns();
    for (i, value) in values.iter_mut().enumerate() {
        if !chosen(i) {
            continue;
        }
        match value {
            Value::Object(object) => decide_sub(def, object, sub, change, at, notes)?,
            _ if unassigns => {}
            other => return Err(wrong_type(at, "a value with sub-attributes to set it in", other)),
        }
    }
    if unassigns {
        retain(values, |i, v| !(chosen(i) && v.as_object().is_some_and(is_bare)));
    } else {
        move_primary(def, values, chosen, at, notes);
    }
    check_primary(def, values, at)
}

fn check_primary(def: Def, values: &[Value], at: &str) -> Result<(), ScimError> {
    if def.is_some() { canonical::check_primary(values, at) } else { Ok(()) }
}

/// If one of the new values is primary, no other is (RFC 7644 section 3.5.2). What no schema
/// describes may mean something else by the word.
fn move_primary(
    def: Def,
    values: &mut [Value],
    is_new: impl Fn(usize) -> bool,
    at: &str,
    notes: &mut Notes,
) {
    if def.is_none() {
        return;
    }
    if !values.iter().enumerate().any(|(i, v)| is_new(i) && is_primary(v)) {
        return;
    }
    for (i, value) in values.iter_mut().enumerate() {
        if !is_new(i) && is_primary(value) {
            value["primary"] = Value::Bool(false);
            notes.note(Reading::PrimaryMoved, at);
        }
    }
}

/// The value a filter describes, if it says nothing but what its sub-attributes equal.
pub(super) fn from_filter(def: Def, filter: &Filter, at: &str) -> Result<Value, ScimError> {
    let equalities = filter.equalities().ok_or_else(|| no_target(at))?;
    let element: Map<String, Value> =
        equalities.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let element = Value::Object(element);
    if matches_element(def, filter, &element) { Ok(element) } else { Err(no_target(at)) }
}

fn no_target(at: &str) -> ScimError {
    ScimError::no_target(format!("{at} matches no value, and none can be made from it"))
}

fn retain(values: &mut Vec<Value>, keep: impl Fn(usize, &Value) -> bool) {
    let mut i = 0;
    values.retain(|v| {
        i += 1;
        keep(i - 1, v)
    });
}
