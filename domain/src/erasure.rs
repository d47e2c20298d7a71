//! What is to be erased of a person beside what is sealed with their own key: where others named
//! them.

use crate::exchange::Exchange;
use crate::log::Record;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Attributes whose values tell who somebody is: of a user (RFC 7643 section 4.1), and of what an
/// assertion said. A department or a title names many.
const IDENTIFYING: [&str; 14] = [
    "userName",
    "externalId",
    "displayName",
    "nickName",
    "formatted",
    "value",
    "user_name",
    "name_id",
    "object_id",
    "external_id",
    "email",
    "before",
    "after",
    "known",
];

/// What is shorter is found in too much.
const LEAST_CHARACTERS: usize = 4;

/// What a person was called by, in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identifiers(BTreeSet<String>);

impl Identifiers {
    /// Gathers them from all records of a user, as readers see those. What is erased already tells
    /// nothing.
    pub fn of(records: &[Record]) -> Self {
        let mut all = BTreeSet::new();
        for record in records {
            let payload: Option<Value> = serde_json::from_str(&record.payload).ok();
            payload.iter().for_each(|payload| gather(payload, false, &mut all));
        }
        Self(all)
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a text names the person. Upper and lower case count as equal; what is
    /// percent-encoded is read as what it stands for.
    pub fn are_in(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        let finds = |text: &str| self.0.iter().any(|name| text.contains(name.as_str()));
        finds(&lower) || (lower.contains('%') && finds(&decoded(&lower)))
    }

    /// Whether a body does: of JSON each string is looked at, whatever way it is written.
    pub fn are_in_body(&self, body: &[u8]) -> bool {
        if body.is_empty() {
            return false;
        }
        let text = String::from_utf8_lossy(body);
        let is_escaped = text.contains("\\u") || text.contains("\\/");
        self.are_in(&text)
            || (is_escaped
                && serde_json::from_str::<Value>(&text)
                    .is_ok_and(|value| self.are_in_value(&value)))
    }

    fn are_in_value(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.are_in(text),
            Value::Array(all) => all.iter().any(|value| self.are_in_value(value)),
            Value::Object(map) => map.iter().any(|(k, v)| self.are_in(k) || self.are_in_value(v)),
            _ => false,
        }
    }

    /// Whether anything that others said in an exchange names the person.
    pub fn are_in_exchange(&self, exchange: &Exchange) -> bool {
        let texts =
            [Some(&exchange.target), exchange.subject.as_ref(), exchange.answer.detail.as_ref()];
        let headers = exchange.headers.iter().chain(&exchange.answer.headers);
        texts.into_iter().flatten().chain(headers.map(|(_, value)| value)).any(|t| self.are_in(t))
            || exchange.interpretations.iter().any(|liberty| self.are_in(&liberty.at))
            || self.are_in_body(&exchange.request_body)
            || self.are_in_body(&exchange.answer_body)
    }
}

fn gather(value: &Value, tells: bool, all: &mut BTreeSet<String>) {
    match value {
        Value::String(text)
            if tells
                && text.chars().count() >= LEAST_CHARACTERS
                && !text.starts_with("[erased]") =>
        {
            all.insert(text.to_lowercase());
        }
        Value::Array(values) => values.iter().for_each(|value| gather(value, tells, all)),
        Value::Object(map) => map.iter().for_each(|(name, value)| {
            let name = name.rsplit([':', '.']).next().unwrap_or(name);
            gather(value, IDENTIFYING.contains(&name), all);
        }),
        _ => {}
    }
}

/// A text with what is percent-encoded in it decoded; a plus is a space, as in a query.
fn decoded(text: &str) -> Cow<'_, str> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (first, code.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(payload: Value) -> Identifiers {
        let mut all = BTreeSet::new();
        gather(&payload, false, &mut all);
        Identifiers(all)
    }

    #[test]
    fn a_person_is_found_however_they_are_written() {
        let ada = of(json!({"UserCreated": {"attributes": {
            "userName": "Ada.L@contoso.example", "title": "Engineer", "active": true,
            "displayName": "Ada L\u{f8}velace", "name": {"givenName": "Ada", "formatted": "Dr Ada L\u{f8}velace"},
            "emails": [{"value": "ada@home.example", "type": "home"}],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Analysis"},
        }}}));
        assert_eq!(ada.len(), 4, "{ada:?}");
        for text in [
            "/scim/v2/Users?filter=userName%20eq%20%22ada.l%40contoso.example%22",
            "/Users?filter=userName+eq+%22ADA.L@CONTOSO.EXAMPLE%22",
            "the mail ada@home.example is taken",
            "filter=displayName+eq+%22ada+l%C3%B8velace%22",
        ] {
            assert!(ada.are_in(text), "{text}");
        }
        assert!(ada.are_in_body(br#"{"Resources":[{"displayName":"Ada L\u00f8velace"}]}"#));
        for text in ["Engineer", "Analysis", "Ada", "home", "/scim/v2/Users?filter=%", ""] {
            assert!(!ada.are_in(text) && !ada.are_in_body(text.as_bytes()), "{text}");
        }
        assert!(of(json!({"userName": "[erased]", "externalId": "abc"})).is_empty());
    }
}
