//! The difference between two sets of attributes, as events tell it.

use crate::personal::Personal;
use crate::scim::Attributes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// One attribute before and after. The path is canonical: a core attribute's name, or
/// `schema-urn:name` for an attribute of an extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Canonical attribute path, such as `displayName` or `urn:...:User:department`.
    pub attribute: String,
    /// Its value before; absent if it was unassigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Personal<Value>>,
    /// Its value after; absent if it is unassigned now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Personal<Value>>,
}

/// What changed from `before` to `after`, ordered by attribute; attributes of an extension one by
/// one. `except` are told by events of their own.
pub(crate) fn changes(before: &Attributes, after: &Attributes, except: &[&str]) -> Vec<Change> {
    let names: BTreeSet<&String> =
        before.keys().chain(after.keys()).filter(|n| !except.contains(&n.as_str())).collect();
    let mut changes = Vec::new();
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        if name.contains(':') {
            extension(name, old, new, &mut changes);
        } else if old != new {
            changes.push(change(name.clone(), old, new));
        }
    }
    changes
}

fn extension(urn: &str, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    let empty = Map::new();
    let old = old.and_then(Value::as_object).unwrap_or(&empty);
    let new = new.and_then(Value::as_object).unwrap_or(&empty);
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        if old.get(name) != new.get(name) {
            changes.push(change(format!("{urn}:{name}"), old.get(name), new.get(name)));
        }
    }
}

fn change(attribute: String, before: Option<&Value>, after: Option<&Value>) -> Change {
    Change {
        attribute,
        before: before.cloned().map(Personal::new),
        after: after.cloned().map(Personal::new),
    }
}

/// Applies what [`changes`] found.
pub(crate) fn apply(attributes: &mut Attributes, changes: &[Change]) {
    for change in changes {
        let after = change.after.as_ref().map(|v| v.value().clone());
        match change.attribute.rsplit_once(':') {
            None => set(attributes, &change.attribute, after),
            Some((urn, name)) => {
                let extension = attributes.entry(urn).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(extension) = extension {
                    set(extension, name, after);
                    if extension.is_empty() {
                        attributes.remove(urn);
                    }
                }
            }
        }
    }
}

fn set(map: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            map.insert(name.to_owned(), value);
        }
        None => {
            map.remove(name);
        }
    }
}
