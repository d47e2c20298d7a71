//! How much of a request is read.

use super::Attributes;
use super::attribute::AttributeDef;
use super::error::{Rule, ScimError, quoted};
use super::policy::Policy;
use crate::interpretation::{Interpretation, Notes, Reading};
use serde_json::Value;
use std::collections::BTreeSet;

/// Bounds on what one request may ask for. Each breach is a clear error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How deep arrays and objects of a body may nest.
    pub max_nesting: usize,
    /// Length of a filter or path in bytes.
    pub max_filter_bytes: usize,
    /// How deep parentheses, brackets and `not` of a filter may nest.
    pub max_filter_depth: usize,
    /// Number of comparisons in a filter.
    pub max_filter_terms: usize,
    /// Number of members named by one request.
    pub max_members: usize,
    /// Number of operations in one PATCH or `/Bulk`.
    pub max_operations: usize,
    /// Length of one string value in bytes.
    pub max_value_bytes: usize,
    /// Length of a name (`userName`, `displayName`, the parts of `name`) in characters.
    pub max_name_chars: usize,
    /// Values of one attribute, but for members.
    pub max_elements: usize,
    /// Liberties that are not taken: a request that needs one is refused.
    pub refused: BTreeSet<Reading>,
    /// What the connection asks of its client.
    pub policy: Policy,
}

/// Names are matched in any case, which costs the square of their number; no schema has this many.
const MAX_KEYS: usize = 2000;

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_nesting: 32,
            max_filter_bytes: 8192,
            max_filter_depth: 32,
            max_filter_terms: 200,
            max_members: 100_000,
            max_operations: 10_000,
            max_value_bytes: 64 * 1024,
            max_name_chars: 1024,
            max_elements: 10_000,
            refused: BTreeSet::new(),
            policy: Policy::default(),
        }
    }
}

impl Limits {
    /// Refuses a request that was read with a liberty which is not to be taken.
    pub fn permit(&self, notes: &Notes) -> Result<(), ScimError> {
        notes
            .list()
            .iter()
            .find(|i| self.refused.contains(&i.reading))
            .map_or(Ok(()), |i| Err(Self::refusal(i)))
    }

    /// What the client is told about a liberty that is not taken.
    pub fn refusal(liberty: &Interpretation) -> ScimError {
        ScimError::invalid_value(format!(
            "{} is not accepted here, at {}",
            liberty.reading.name(),
            quoted(&liberty.at)
        ))
    }

    /// Refuses strings and keys that are too long and objects that are too wide, anywhere in a
    /// body. What the text says is not told: it may be a password.
    pub(super) fn check_sizes(&self, value: &Value) -> Result<(), ScimError> {
        self.check_size("the body", value)
    }

    fn check_size(&self, at: &str, value: &Value) -> Result<(), ScimError> {
        match value {
            Value::String(s) if s.len() > self.max_value_bytes => {
                let (found, most) = (s.len(), self.max_value_bytes);
                let detail = format!(
                    "{} has a text of {found} bytes, longer than the {most} bytes accepted",
                    quoted(at)
                );
                Err(ScimError::invalid_value(detail).of_rule(Rule::TooLong))
            }
            Value::Array(items) => items.iter().try_for_each(|v| self.check_size(at, v)),
            Value::Object(map) if map.len() > MAX_KEYS => Err(ScimError::too_large(format!(
                "an object with {} attributes has more than the {MAX_KEYS} accepted",
                map.len()
            ))),
            Value::Object(map) => map.iter().try_for_each(|(key, v)| {
                if key.len() > self.max_filter_bytes {
                    let (found, most) = (key.len(), self.max_filter_bytes);
                    let detail = format!(
                        "a key of {found} bytes is longer than the {most} bytes accepted: {}",
                        quoted(key)
                    );
                    return Err(ScimError::invalid_syntax(detail).of_rule(Rule::TooLong));
                }
                self.check_size(key, v)
            }),
            _ => Ok(()),
        }
    }

    /// Refuses a name that is too long and an attribute with too many values. `at` says where.
    pub(super) fn check_lengths(
        &self,
        def: Option<&'static AttributeDef>,
        value: &Value,
        at: &str,
    ) -> Result<(), ScimError> {
        match value {
            Value::String(s) if def.is_some_and(|d| d.is_name) => {
                let (found, most) = (s.chars().count(), self.max_name_chars);
                if found > most {
                    let detail = format!(
                        "{at} has {found} characters, more than the {most} accepted: {}",
                        quoted(s)
                    );
                    return Err(ScimError::invalid_value(detail).of_rule(Rule::TooLong));
                }
                Ok(())
            }
            Value::Array(items) if items.len() > self.max_elements => {
                let (found, most) = (items.len(), self.max_elements);
                let detail = format!("{at} has {found} values, more than the {most} accepted");
                Err(ScimError::invalid_value(detail).of_rule(Rule::TooLong))
            }
            Value::Array(items) => {
                items.iter().try_for_each(|item| self.check_lengths(def, item, at))
            }
            Value::Object(map) => map.iter().try_for_each(|(key, v)| {
                let sub = def.and_then(|d| d.sub(key));
                sub.map_or(Ok(()), |sub| {
                    self.check_lengths(Some(sub), v, &format!("{at}.{}", sub.name))
                })
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn check_members(&self, found: usize) -> Result<(), ScimError> {
        let most = self.max_members;
        if found > most {
            return Err(ScimError::too_large(format!(
                "{found} members in one request are more than the {most} accepted; send them in several"
            )));
        }
        Ok(())
    }

    pub(super) fn check_operations(&self, found: usize) -> Result<(), ScimError> {
        let most = self.max_operations;
        if found > most {
            return Err(ScimError::too_large(format!(
                "{found} operations are more than the {most} accepted; send them in several requests"
            )));
        }
        Ok(())
    }
}

/// How large the attributes of one resource may be. They are held in memory, and copied by every
/// change.
const MAX_RESOURCE_BYTES: usize = 4 * 1024 * 1024;

/// How many values the operations of one PATCH may be compared with: each operation on an attribute
/// looks at all its values.
const MAX_COMPARISONS: usize = 200_000;

/// How much memory the values of a resource take, roughly.
pub fn resource_bytes(attributes: &Attributes) -> usize {
    attributes.iter().map(|(key, value)| key.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &Value) -> usize {
    // What a value takes besides its text.
    const EACH: usize = 32;
    EACH + match value {
        Value::String(s) => s.len(),
        Value::Array(items) => items.iter().map(value_bytes).sum(),
        Value::Object(map) => resource_bytes(map),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Refuses a resource that is too large to be kept at hand.
pub(super) fn check_resource(attributes: &Attributes) -> Result<(), ScimError> {
    let found = resource_bytes(attributes);
    if found > MAX_RESOURCE_BYTES {
        return Err(ScimError::too_large(format!(
            "the resource would take {found} bytes, more than the {MAX_RESOURCE_BYTES} accepted"
        )));
    }
    Ok(())
}

/// Counts what the operations of one PATCH cost.
#[derive(Default)]
pub(super) struct Effort(usize);

impl Effort {
    /// One more operation looks at so many values.
    pub fn spend(&mut self, values: usize) -> Result<(), ScimError> {
        self.0 = self.0.saturating_add(values).saturating_add(1);
        if self.0 > MAX_COMPARISONS {
            return Err(ScimError::too_large(format!(
                "these operations look at more than {MAX_COMPARISONS} values; send them in several requests"
            )));
        }
        Ok(())
    }
}

/// Refuses a body whose arrays and objects nest deeper than `max`, before anything parses it.
/// Whether the bytes are JSON at all is not looked at.
pub fn check_nesting(body: &[u8], max: usize) -> Result<(), ScimError> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in body {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > max {
                    return Err(ScimError::invalid_syntax(format!(
                        "the body nests deeper than the {max} levels accepted"
                    )));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_nesting;

    #[test]
    fn brackets_in_strings_do_not_nest() {
        assert!(check_nesting(br#"{"a":"[[[[\"[[[["}"#, 1).is_ok());
        assert!(check_nesting(br#"{"a":"\\","b":[]}"#, 1).is_err());
    }
}
