//! Request bodies in Entra's two shapes.

use super::mapping::{ENTERPRISE, Mapping};
use super::target::Target;
use crate::directory::{Group, User};
use serde_json::{Map, Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ADSCIM: &str = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Which generation of PATCH is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The shipped default: capital verbs, booleans as strings, members removed by value.
    #[default]
    Legacy,
    /// `aadOptscim062020` in the tenant URL.
    Flagged,
}

/// One attribute that is to change.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Edit {
    pub(super) target: Target,
    /// What the target system has now.
    pub(super) old: Option<Value>,
    pub(super) new: Value,
}

/// A value that no server can take: the mapping's expression gave a word where a boolean belongs.
pub(super) const BAD_VALUE: &str = "Unspecified";

fn active() -> Target {
    Target::new("active")
}

/// The body that creates a user.
pub(super) fn new_user(mapping: &Mapping, user: &User, bad: bool) -> Value {
    let mut body = Map::new();
    let enterprise =
        mapping.manager || mapping.flows.iter().any(|f| f.target.urn() == Some(ENTERPRISE));
    body.insert(
        "schemas".to_owned(),
        if enterprise { json!([USER, ENTERPRISE]) } else { json!([USER]) },
    );
    body.insert("meta".to_owned(), json!({"resourceType": "User"}));
    body.insert("active".to_owned(), if bad { json!(BAD_VALUE) } else { json!(true) });
    for flow in &mapping.flows {
        if let Some(value) = flow.source.value(user) {
            flow.target.write(&mut body, json!(value));
        }
    }
    Value::Object(body)
}

/// The body that creates a group, empty. Both forms are seen in the wild; the one with Microsoft's
/// own schema goes with the old shape, for strict servers refuse it.
pub(super) fn new_group(shape: Shape, group: &Group) -> Value {
    let mut body = json!({
        "schemas": [GROUP],
        "externalId": group.object_id.to_string(),
        "displayName": group.display_name,
        "meta": {"resourceType": "Group"},
    });
    match shape {
        Shape::Legacy => body["schemas"] = json!([GROUP, ADSCIM]),
        Shape::Flagged => body["members"] = json!([]),
    }
    body
}

/// What differs between a user and the resource in the target system. Nothing flows from an
/// attribute without a value.
pub(super) fn user_edits(mapping: &Mapping, user: &User, on: bool, current: &Value) -> Vec<Edit> {
    let mut edits: Vec<Edit> = switch(on, current).into_iter().collect();
    for flow in &mapping.flows {
        let Some(new) = flow.source.value(user) else { continue };
        let old = flow.target.read(current);
        if old.and_then(Value::as_str) != Some(&new) {
            edits.push(Edit { target: flow.target.clone(), old: old.cloned(), new: json!(new) });
        }
    }
    edits
}

/// The edit that switches a user on or off, unless it is so already.
pub(super) fn switch(on: bool, current: &Value) -> Option<Edit> {
    let old = active().read(current).cloned();
    let is = match &old {
        Some(Value::Bool(is)) => Some(*is),
        Some(Value::String(text)) => text.parse().ok().or_else(|| text.to_lowercase().parse().ok()),
        // A resource without `active` counts as active.
        _ => Some(true),
    };
    (is != Some(on)).then(|| Edit { target: active(), old, new: json!(on) })
}

/// The edit with which a broken mapping spoils a request.
pub(super) fn spoil(edits: &mut Vec<Edit>) {
    edits.retain(|e| e.target != active());
    edits.insert(0, Edit { target: active(), old: Some(json!(true)), new: json!(BAD_VALUE) });
}

/// What differs between a group and the resource in the target system.
pub(super) fn group_edits(group: &Group, current: &Value) -> Vec<Edit> {
    let rows =
        [("displayName", group.display_name.clone()), ("externalId", group.object_id.to_string())];
    let edits = rows.into_iter().map(|(path, new)| {
        let target = Target::new(path);
        let old = target.read(current).cloned();
        Edit { target, old, new: json!(new) }
    });
    edits.filter(|e| e.old.as_ref() != Some(&e.new)).collect()
}

/// The PATCH that makes these edits.
pub(super) fn patch(shape: Shape, edits: &[Edit]) -> Value {
    match shape {
        Shape::Legacy => operations(edits.iter().map(|edit| {
            let value = match &edit.new {
                Value::Bool(true) => json!("True"),
                Value::Bool(false) => json!("False"),
                other => other.clone(),
            };
            json!({"op": if edit.old.is_some() { "Replace" } else { "Add" }, "path": edit.target.as_str(), "value": value})
        })),
        Shape::Flagged => flagged(edits),
    }
}

/// Value paths stay on their own; everything else collapses into one pathless operation a verb.
fn flagged(edits: &[Edit]) -> Value {
    let verb = |edit: &Edit| if edit.old.is_some() { "replace" } else { "add" };
    if let [edit] = edits
        && edit.target == active()
    {
        return operations([json!({"op": "replace", "path": "active", "value": edit.new})]);
    }
    let picks = edits.iter().filter(|e| e.target.picks());
    let mut made: Vec<Value> =
        picks.map(|e| json!({"op": verb(e), "path": e.target.as_str(), "value": e.new})).collect();
    for wanted in ["add", "replace"] {
        let rest = edits.iter().filter(|e| !e.target.picks() && verb(e) == wanted);
        let value: Map<String, Value> =
            rest.map(|e| (e.target.as_str().to_owned(), e.new.clone())).collect();
        if !value.is_empty() {
            made.push(json!({"op": wanted, "value": value}));
        }
    }
    operations(made)
}

/// The PATCH that sets a manager, or takes it away.
pub(super) fn manager(shape: Shape, manager: Option<&str>) -> Value {
    let path = format!("{ENTERPRISE}:manager");
    operations([match (shape, manager) {
        (Shape::Legacy, Some(id)) => json!({"op": "Add", "path": path, "value": id}),
        (Shape::Flagged, Some(id)) => json!({"op": "add", "path": path, "value": {"value": id}}),
        (Shape::Legacy, None) => json!({"op": "Remove", "path": path}),
        (Shape::Flagged, None) => json!({"op": "remove", "path": path}),
    }])
}

/// The PATCH that adds members.
pub(super) fn add_members(shape: Shape, ids: &[String]) -> Value {
    operations([match shape {
        Shape::Legacy => json!({"op": "Add", "path": "members", "value": by_value(ids)}),
        Shape::Flagged => {
            json!({"op": "add", "path": "members", "value": ids.iter().map(|id| json!({"value": id})).collect::<Vec<_>>()})
        }
    }])
}

/// The PATCH that removes members.
pub(super) fn remove_members(shape: Shape, ids: &[String]) -> Value {
    match shape {
        Shape::Legacy => {
            operations([json!({"op": "Remove", "path": "members", "value": by_value(ids)})])
        }
        Shape::Flagged => operations(
            ids.iter()
                .map(|id| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")})),
        ),
    }
}

fn by_value(ids: &[String]) -> Vec<Value> {
    ids.iter().map(|id| json!({"$ref": null, "value": id})).collect()
}

fn operations(operations: impl IntoIterator<Item = Value>) -> Value {
    json!({"schemas": [PATCH], "Operations": operations.into_iter().collect::<Vec<_>>()})
}

/// A query string as Entra encodes it: form style.
pub(super) fn form(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => {
                out.push(byte as char)
            }
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// `attribute eq "value"`, encoded.
pub(super) fn equals(target: &str, value: &str) -> String {
    form(&format!("{target} eq \"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// `id eq "..." and attribute eq "..."`, encoded: does the one refer to the other?
pub(super) fn equals_both(id: &str, target: &str, value: &str) -> String {
    form(&format!("id eq \"{id}\" and {target} eq \"{value}\""))
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
