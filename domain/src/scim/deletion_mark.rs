//! SCIM 1's way to take a value away: `"operation": "delete"` in the value itself (SCIM 1.1 core
//! section 3.2.2). Some clients still send it.

use super::get_ci;
use serde_json::{Map, Value};

const MARK: &str = "operation";

/// True if a value is to be taken away.
pub(super) fn is_marked(value: &Map<String, Value>) -> bool {
    get_ci(value, MARK)
        .and_then(|(_, v)| v.as_str())
        .is_some_and(|word| word.eq_ignore_ascii_case("delete"))
}

/// The values that are marked, without their marks, and the others; none if none is marked.
pub(super) fn split(sent: &Value) -> Option<(Value, Value)> {
    let items = match sent {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is_marked = |item: &&Value| item.as_object().is_some_and(is_marked);
    let (marked, rest): (Vec<&Value>, Vec<&Value>) = items.iter().partition(is_marked);
    if marked.is_empty() {
        return None;
    }
    let unmark = |item: &Value| match item {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| !key.eq_ignore_ascii_case(MARK));
            Value::Object(kept.map(|(k, v)| (k.clone(), v.clone())).collect())
        }
        other => other.clone(),
    };
    Some((marked.into_iter().map(unmark).collect(), rest.into_iter().cloned().collect()))
}
