//! What a request of the simulated Entra asks for, thing by thing.

use rollcall_entra::transport::Method;
use serde_json::Value;

/// One thing that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// The resource is to be there.
    Existence,
    /// It is to be gone.
    Deletion,
    /// An attribute is to have a value, or none.
    Attribute(String),
    /// Somebody is to be a member, or none.
    Member(String),
}

/// A thing, and whether what is asked of it can be read at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub thing: Thing,
    pub readable: bool,
}

/// Attribute paths as they are compared.
pub fn path(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    match text.strip_suffix(".value") {
        Some(manager) if manager.ends_with(":manager") => manager.to_owned(),
        _ => text,
    }
}

/// Everything that a request asks for; nothing of a reader.
pub fn asked(method: Method, body: Option<&Value>) -> Vec<Asked> {
    let plain = |thing| Asked { thing, readable: true };
    match (method, body) {
        (Method::Get, _) => Vec::new(),
        (Method::Post, _) => vec![plain(Thing::Existence)],
        (Method::Delete, _) => vec![plain(Thing::Deletion)],
        (Method::Patch, body) => {
            let operations = body.and_then(|b| b["Operations"].as_array());
            operations.into_iter().flatten().flat_map(operation).collect()
        }
    }
}

fn operation(operation: &Value) -> Vec<Asked> {
    let value = &operation["value"];
    let Some(target) = operation["path"].as_str() else {
        return value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| attribute(name, value))
            .collect();
    };
    let member = |id: &str| Asked { thing: Thing::Member(id.to_owned()), readable: true };
    if target == "members" {
        return value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|m| m["value"].as_str())
            .map(member)
            .collect();
    }
    match target.strip_prefix("members[value eq \"").and_then(|rest| rest.strip_suffix("\"]")) {
        Some(id) => vec![member(id)],
        None => vec![attribute(target, value)],
    }
}

fn attribute(name: &str, value: &Value) -> Asked {
    let spoilt = name == "active"
        && !matches!(value, Value::Bool(_))
        && !matches!(value.as_str(), Some("True" | "False"));
    Asked { thing: Thing::Attribute(path(name)), readable: !spoilt }
}
