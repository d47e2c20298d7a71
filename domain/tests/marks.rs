//! Marks in a text, of whatever shape: what is around them stays as it is.

use proptest::prelude::*;
use rollcall_domain::sealing::{Unsealed, rewrite, unmarked};
use serde_json::{Map, Value, json};
use std::convert::Infallible;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[~\"\\\\{}\\[\\]:,a-zé\u{1f600}]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[~a-c\"/]{0,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// The same with every text under a mark, and without anything that looks like one.
fn marked(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({ "~": text }),
        Value::Array(items) => items.iter().map(marked).collect(),
        Value::Object(map) if map.len() == 1 && map.contains_key("~") => Value::Null,
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), marked(value))).collect())
        }
        other => other.clone(),
    }
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(map) if map.len() == 1 && map.contains_key("~") => Value::Null,
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), plain(value))).collect())
        }
        other => other.clone(),
    }
}

fn texts(value: &Value) -> usize {
    match value {
        Value::String(_) => 1,
        Value::Array(items) => items.iter().map(texts).sum(),
        Value::Object(map) => map.values().map(texts).sum(),
        _ => 0,
    }
}

proptest! {
    #[test]
    fn without_its_marks_a_text_is_what_it_was(value in value(), pretty in any::<bool>()) {
        let text = |value: &Value| {
            if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) }
        };
        let (marked, plain) = (marked(&value), plain(&value));
        let written = text(&marked).unwrap();
        let mut found = 0;
        let sealed = rewrite::<Infallible>(&written, |_, text| {
            found += 1;
            Ok(format!("{{\"~\":{text}}}"))
        });
        let Ok(sealed) = sealed else { return Err(TestCaseError::fail("no JSON")) };
        prop_assert_eq!(found, texts(&plain));
        // Sealed and opened again, whatever the space around it.
        let opened = unmarked(&sealed).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&opened).unwrap(), plain.clone());
        if !pretty {
            prop_assert_eq!(&sealed, &written);
            prop_assert_eq!(opened, serde_json::to_string(&plain).unwrap());
        }
    }

    #[test]
    fn no_text_makes_it_panic_and_what_is_json_is_read(text in "[\\[\\]{}:,\"~\\\\a-e0-9. \n-]{0,40}|.{0,40}") {
        let read = unmarked(&text);
        if serde_json::from_str::<Value>(&text).is_ok() {
            prop_assert!(read.is_ok(), "{text}");
        }
        let refused = rewrite(&text, |_, _| Err::<String, _>("refused"));
        prop_assert!(!matches!(refused, Err(Unsealed::Value(other)) if other != "refused"));
    }
}
