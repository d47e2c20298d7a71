//! Read-only attributes that a change speaks of: at their present value nothing would be modified
//! (RFC 7644 section 3.5.2), so that a client can read, change and send back.

use super::apply::read_only;
use super::error::ScimError;
use super::intent::Intent;
use super::{get_ci, is_unassigned};
use crate::interpretation::{Notes, Reading};
use serde_json::Value;

/// Takes what is said of read-only attributes out of a change and holds it against the resource as
/// it is read. Another value than the present one is `mutability`.
pub fn check_asserted(
    intents: &mut Vec<Intent>,
    resource: &Value,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let asserted = intents.extract_if(.., |intent| matches!(intent, Intent::Assert { .. }));
    for intent in asserted {
        let Intent::Assert { path, value, adds } = intent else { continue };
        let container = match &path.urn {
            None => Some(resource),
            Some(urn) => member(resource, urn),
        };
        let whole = container.and_then(|c| member(c, &path.attribute));
        let present = match &path.sub {
            None => whole,
            Some(sub) => whole.and_then(|w| member(w, sub)),
        };
        if path.filter.is_some() || !is_as_read(&value, present, adds) {
            return Err(read_only(&path));
        }
        notes.note(Reading::ReadOnlyUnchanged, path.label());
    }
    Ok(())
}

/// Whether anything is said of read-only attributes.
pub fn asserts(intents: &[Intent]) -> bool {
    intents.iter().any(|intent| matches!(intent, Intent::Assert { .. }))
}

fn member<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.as_object().and_then(|map| get_ci(map, key)).map(|(_, v)| v)
}

/// Whether what is said of a value holds for it: of an object the parts that are named, of an array
/// the elements in any order, all of them unless they are added.
fn is_as_read(said: &Value, present: Option<&Value>, adds: bool) -> bool {
    match (said, present) {
        (said, present) if is_unassigned(said) => present.is_none_or(is_unassigned),
        (_, None) => false,
        (Value::Array(said), Some(Value::Array(present))) => {
            let known = |item: &Value| present.iter().any(|p| is_as_read(item, Some(p), adds));
            (adds || said.len() == present.len()) && said.iter().all(known)
        }
        (one, Some(Value::Array(present))) if adds => {
            present.iter().any(|p| is_as_read(one, Some(p), adds))
        }
        (Value::Object(said), Some(present)) => {
            said.iter().all(|(key, v)| is_as_read(v, member(present, key), adds))
        }
        (said, Some(present)) => said == present,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::{AttributePath, ScimType};
    use serde_json::json;

    #[test]
    fn what_was_read_may_be_sent_back() {
        let resource = json!({
            "id": "7", "schemas": ["a", "b"], "meta": { "version": "W/\"1\"", "resourceType": "User" },
            "groups": [{ "value": "g", "display": "G", "$ref": "x" }],
        });
        let check = |attribute: &str, value: Value, adds: bool| {
            let mut intents =
                vec![Intent::Assert { path: AttributePath::core(attribute), value, adds }];
            check_asserted(&mut intents, &resource, &mut Notes::default()).map_err(|e| e.scim_type)
        };
        for (attribute, value) in [
            ("id", json!("7")),
            ("schemas", json!(["b", "a"])),
            ("meta", resource["meta"].clone()),
            ("meta", json!({ "RESOURCETYPE": "User" })),
            ("groups", resource["groups"].clone()),
            ("groups", json!([{ "value": "g" }])),
        ] {
            assert_eq!(check(attribute, value.clone(), false), Ok(()), "{attribute} {value}");
            assert_eq!(check(attribute, value.clone(), true), Ok(()), "{attribute} {value}");
        }
        for (attribute, value) in [
            ("id", json!("8")),
            ("id", json!(null)),
            ("meta", json!({ "version": "W/\"2\"" })),
            ("meta", json!({ "nope": 1 })),
            ("groups", json!([])),
            ("groups", json!([{ "value": "h" }])),
            ("schemas", json!(["a"])),
        ] {
            assert_eq!(
                check(attribute, value.clone(), false),
                Err(Some(ScimType::Mutability)),
                "{attribute} {value}"
            );
        }
        assert_eq!(check("schemas", json!(["a"]), true), Ok(()));
        assert_eq!(check("groups", json!({ "value": "h" }), true), Err(Some(ScimType::Mutability)));
    }
}
