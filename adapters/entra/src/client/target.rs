//! Where a value goes: an attribute path in Entra's notation.

use serde_json::{Map, Value, json};
use std::fmt;

/// A target attribute, such as `name.givenName`, `emails[type eq "work"].value` or
/// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    text: String,
    urn: Option<String>,
    attribute: String,
    element: Option<String>,
    sub: Option<String>,
}

impl Target {
    /// Reads a path. The mapping editor offers these forms and no others.
    pub fn new(text: &str) -> Self {
        let (urn, rest) = match text.rsplit_once(':') {
            Some((urn, rest)) if text.starts_with("urn:") => (Some(urn.to_owned()), rest),
            _ => (None, text),
        };
        let (attribute, element, sub) = match rest.split_once("[type eq \"") {
            Some((attribute, rest)) => {
                let (element, sub) = rest.split_once("\"]").unwrap_or((rest, ""));
                (attribute, Some(element.to_owned()), sub.strip_prefix('.'))
            }
            None => match rest.split_once('.') {
                Some((attribute, sub)) => (attribute, None, Some(sub)),
                None => (rest, None, None),
            },
        };
        Self {
            text: text.to_owned(),
            urn,
            attribute: attribute.to_owned(),
            element,
            sub: sub.map(str::to_owned),
        }
    }

    /// The path as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it picks an element of a list.
    pub fn picks(&self) -> bool {
        self.element.is_some()
    }

    /// The schema extension it lies in.
    pub fn urn(&self) -> Option<&str> {
        self.urn.as_deref()
    }

    /// The value at this place of a resource; nothing if it is null or empty.
    pub fn read<'a>(&self, resource: &'a Value) -> Option<&'a Value> {
        let object = match &self.urn {
            Some(urn) => member(resource, urn)?,
            None => resource,
        };
        let mut value = member(object, &self.attribute)?;
        if let Some(kind) = &self.element {
            value = value.as_array()?.iter().find(|e| e["type"].as_str() == Some(kind))?;
        }
        if let Some(sub) = &self.sub {
            value = member(value, sub)?;
        }
        let empty = value.is_null()
            || value.as_str() == Some("")
            || value.as_array().is_some_and(Vec::is_empty);
        (!empty).then_some(value)
    }

    /// Puts a value at this place of a resource.
    pub fn write(&self, resource: &mut Map<String, Value>, new: Value) {
        let object = match &self.urn {
            Some(urn) => child(resource, urn),
            None => resource,
        };
        let Some(kind) = &self.element else {
            match &self.sub {
                Some(sub) => child(object, &self.attribute).insert(sub.clone(), new),
                None => object.insert(self.attribute.clone(), new),
            };
            return;
        };
        let Value::Array(list) = object.entry(self.attribute.clone()).or_insert_with(|| json!([]))
        else {
            return;
        };
        if !list.iter().any(|e| e["type"].as_str() == Some(kind)) {
            // The work address is the primary one; nothing else is.
            let primary = self.attribute == "emails" && kind == "work";
            list.push(if primary {
                json!({"primary": true, "type": kind})
            } else {
                json!({"type": kind})
            });
        }
        if let Some(element) = list.iter_mut().find(|e| e["type"].as_str() == Some(kind)) {
            element[self.sub.as_deref().unwrap_or("value")] = new;
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Attribute names are case-insensitive (RFC 7643 section 2.1).
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let object = object.as_object()?;
    object.get(name).or_else(|| {
        object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

fn child<'a>(object: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let entry = object.entry(name.to_owned()).or_insert_with(|| json!({}));
    if !entry.is_object() {
        *entry = json!({});
    }
    match entry {
        Value::Object(map) => map,
        other => unreachable!("made an object above, found {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_where_it_belongs() {
        let paths = [
            "userName",
            "name.givenName",
            "emails[type eq \"work\"].value",
            "phoneNumbers[type eq \"mobile\"].value",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        ];
        let mut resource = Map::new();
        for path in paths {
            Target::new(path).write(&mut resource, json!(path));
        }
        let resource = Value::Object(resource);
        for path in paths {
            assert_eq!(Target::new(path).read(&resource), Some(&json!(path)));
        }
        assert_eq!(
            resource["emails"],
            json!([{"primary": true, "type": "work", "value": "emails[type eq \"work\"].value"}])
        );
        assert_eq!(
            resource["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["department"],
            json!(paths[4])
        );
        assert_eq!(Target::new("addresses[type eq \"other\"].formatted").read(&resource), None);
    }
}
