//! The NUL character, which no name, filter or address has. PostgreSQL cannot keep it in text, and
//! programs that read C strings take what stands before it for the whole.

/// Whether a JSON text spells it in a string.
pub fn in_json(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        // What is escaped is no beginning of an escape.
        let escape = &rest[at + 1..];
        if escape.starts_with(b"u0000") {
            return true;
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

/// Whether something that is percent-encoded, such as a path, a query or a form, spells it.
pub fn in_encoded(text: &[u8]) -> bool {
    text.contains(&0) || text.windows(3).any(|part| part == b"%00")
}

#[cfg(test)]
mod tests {
    use super::{in_encoded, in_json};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn has_nul(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(all) => all.iter().any(has_nul),
            Value::Object(map) => map.iter().any(|(k, v)| k.contains('\0') || has_nul(v)),
            _ => false,
        }
    }

    proptest! {
        /// Of whatever serde reads, it tells what serde read.
        #[test]
        fn json_tells_what_was_read(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("\\\\"), Just("u0000"), Just("\\u0000"), Just("\\u0001"), Just("\\n"),
                    Just("\\\""), Just("a"), Just("\\\\u0000"),
                ],
                0..8,
            ),
        ) {
            let text = format!("{{\"a\":[\"{}\"]}}", parts.concat());
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                prop_assert_eq!(in_json(text.as_bytes()), has_nul(&value), "{}", text);
            }
        }

        #[test]
        fn forms_tell_what_is_read(text in "[%a-f0=&]{0,20}") {
            let read: String = form_urlencoded::parse(text.as_bytes())
                .map(|(name, value)| format!("{name}{value}"))
                .collect();
            prop_assert!(in_encoded(text.as_bytes()) || !read.contains('\0'), "{}", text);
        }
    }

    #[test]
    fn what_serde_writes_is_told() {
        assert!(in_json(json!({ "a": "x\0" }).to_string().as_bytes()));
        assert!(!in_json(json!({ "a": "\\u0000" }).to_string().as_bytes()));
    }
}
