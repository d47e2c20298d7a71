//! A body read as JSON, strictly where leniency would lose something without a word: a name that
//! stands twice (RFC 8259 section 4 leaves open which one counts), and a number that no type of
//! ours can hold exactly.

use super::error::ScimError;
use super::limits::{Limits, check_nesting};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};
use std::fmt;

/// From here on a double skips integers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a body. A byte order mark before it is ignored.
pub fn read_json(body: &[u8], limits: &Limits) -> Result<Value, ScimError> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(ScimError::invalid_syntax("the body is empty; it must be a JSON object"));
    }
    check_nesting(body, limits.max_nesting)?;
    serde_json::from_slice::<Exact>(body).map(|exact| exact.0).map_err(|e| {
        ScimError::invalid_syntax(match e.classify() {
            // The words are ours.
            Category::Data => format!("the body cannot be kept as it is: {e}"),
            // serde's message may repeat a value; line and column do not.
            _ => format!(
                "the body is not JSON: line {}, column {} cannot be read",
                e.line(),
                e.column()
            ),
        })
    })
}

struct Exact(Value);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExactVisitor).map(Self)
    }
}

struct ExactVisitor;

impl<'de> Visitor<'de> for ExactVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Value, E> {
        let number = Number::from_f64(v).filter(|_| v.abs() < EXACT);
        number.map(Value::Number).ok_or_else(|| {
            E::custom("a number is too large to be kept digit by digit; send it in quotes")
        })
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut found = Vec::new();
        while let Some(item) = items.next_element::<Exact>()? {
            found.push(item.0);
        }
        Ok(Value::Array(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut found = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let Exact(value) = entries.next_value()?;
            if found.get(&name).is_some_and(|before| *before != value) {
                return Err(A::Error::custom(
                    "a name stands twice in one object, with different values",
                ));
            }
            found.insert(name, value);
        }
        Ok(Value::Object(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: &str) -> Result<Value, String> {
        read_json(body.as_bytes(), &Limits::default()).map_err(|e| e.detail)
    }

    #[test]
    fn what_can_be_kept_is_read_as_it_stands() {
        let text = r#"{"a":[1,-1,18446744073709551615,1.5,-0.25,true,null,"\u0000 \ud83d\ude00"],"b":{},"a":[1,-1,18446744073709551615,1.5,-0.25,true,null,"\u0000 \ud83d\ude00"]}"#;
        assert_eq!(read(text), Ok(serde_json::from_str(text).expect("JSON")));
        assert_eq!(read("\u{feff} {}"), Ok(json!({})));
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        for (body, part) in [
            (r#"{"active":false,"active":true}"#, "stands twice"),
            (r#"{"x":[{"op":"add","op":"remove"}]}"#, "stands twice"),
            (r#"{"employeeNumber":123456789012345678901234567890}"#, "in quotes"),
            (r#"{"n":-1e300}"#, "in quotes"),
            (r#"{"n":1e400}"#, "not JSON"),
            (r#"{"n":NaN}"#, "not JSON"),
            (r#"{"n":1} x"#, "not JSON"),
            (r#"{"n":"\ud800"}"#, "not JSON"),
            ("", "empty"),
            (" \n", "empty"),
        ] {
            let detail = read(body).expect_err(body);
            assert!(detail.contains(part), "{body}: {detail}");
        }
    }
}
