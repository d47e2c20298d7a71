//! Every way to ask the same of an attribute.

use super::attribute::{Attribute, Class};
use rollcall_domain::scim::PATCH_OP_URN;
use serde_json::{Map, Value, json};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Add,
    Replace,
    Remove,
    Create,
    Put,
}

impl Verb {
    pub fn parse(name: &str) -> Self {
        match name {
            "add" => Verb::Add,
            "replace" => Verb::Replace,
            "remove" => Verb::Remove,
            "create" => Verb::Create,
            "put" => Verb::Put,
            other => panic!("no verb {other:?}"),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Add => "add",
            Verb::Replace => "replace",
            Verb::Remove => "remove",
            Verb::Create => "create",
            Verb::Put => "put",
        }
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub verb: Verb,
    pub body: Value,
    /// The value in it, if there is one.
    pub value: Option<Value>,
}

impl Asked {
    /// True if the value is null, or empty.
    pub fn says_nothing(&self) -> bool {
        match &self.value {
            None | Some(Value::Null) => true,
            Some(Value::String(s)) => s.is_empty(),
            Some(Value::Array(a)) => a.is_empty(),
            Some(Value::Object(o)) => o.is_empty(),
            Some(_) => false,
        }
    }
}

/// All requests that ask this.
pub fn all(attribute: &Attribute, verb: Verb, value: Option<Value>) -> Vec<Asked> {
    let bodies = match verb {
        Verb::Create | Verb::Put => bodies(attribute, &value),
        _ => patches(attribute, verb, &value),
    };
    bodies.into_iter().map(|body| Asked { verb, body, value: value.clone() }).collect()
}

fn patches(attribute: &Attribute, verb: Verb, value: &Option<Value>) -> Vec<Value> {
    let mut operations = Vec::new();
    let capital: String = {
        let word = verb.as_str();
        word[..1].to_uppercase() + &word[1..]
    };
    for op in [verb.as_str(), &capital, &verb.as_str().to_uppercase()] {
        for path in paths(attribute) {
            let mut operation = json!({ "op": op, "path": path });
            if let Some(value) = value {
                operation["value"] = value.clone();
            }
            operations.push(operation);
        }
        // Without a path, an attribute that is not named is not asked about, and nothing is
        // removed.
        if let Some(value) = value
            && verb != Verb::Remove
        {
            operations.extend(
                objects(attribute, value)
                    .into_iter()
                    .map(|object| json!({ "op": op, "value": object })),
            );
        }
    }
    operations
        .into_iter()
        .map(|o| json!({ "schemas": [PATCH_OP_URN], "Operations": [o] }))
        .collect()
}

/// The names of an attribute.
fn paths(attribute: &Attribute) -> Vec<String> {
    let name = &attribute.name;
    let urn = attribute.urn.unwrap_or(attribute.kind.schema_urn());
    let mut found = vec![
        format!("{urn}:{name}"),
        format!("{urn}:{}", cased(name)),
        format!("{}:{name}", urn.to_uppercase()),
    ];
    if attribute.class != Class::ReadOnly || name == "groups" {
        found.push(format!("{urn}.{name}"));
    } else {
        // Common attributes are of no schema.
        found.clear();
    }
    found.push(name.clone());
    found.push(cased(name));
    found
}

/// In another case, but for the value in a filter.
fn cased(name: &str) -> String {
    name.split('"')
        .enumerate()
        .map(|(i, part)| if i % 2 == 0 { part.to_uppercase() } else { part.to_owned() })
        .collect::<Vec<_>>()
        .join("\"")
}

fn object(key: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}

/// The objects that say the same without a path.
fn objects(attribute: &Attribute, value: &Value) -> Vec<Value> {
    let mut found: Vec<Value> =
        paths(attribute).iter().map(|path| object(path, value.clone())).collect();
    let urn = attribute.urn.unwrap_or(attribute.kind.schema_urn());
    if attribute.class != Class::ReadOnly {
        found.push(object(urn, object(&attribute.name, value.clone())));
    }
    if let Some((whole, part)) = attribute.within.filter(|_| attribute.class == Class::Single) {
        let nested = object(whole, object(part, value.clone()));
        found.push(match attribute.urn {
            Some(urn) => object(urn, nested),
            None => nested,
        });
    }
    found
}

/// The bodies of a POST or PUT.
fn bodies(attribute: &Attribute, value: &Option<Value>) -> Vec<Value> {
    let Some(value) = value else { return vec![json!({})] };
    objects(attribute, value)
}
