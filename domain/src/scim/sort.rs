//! The order of resources in an answer (RFC 7644 section 3.4.2.3).

use super::characteristic::AttributeType;
use super::filter::AttributePath;
use super::get_ci;
use super::matching::values;
use super::resource_kind::ResourceKind;
use crate::fold_text::fold_text;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::cmp::Ordering;

/// What a resource is sorted by. What has no value comes last in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    /// False before true.
    Boolean(bool),
    /// By size.
    Number(Number),
    /// The earlier first.
    Time(DateTime<Utc>),
    /// By code points, folded unless case counts.
    Text(String),
    /// No value.
    Missing,
}

/// A number with a total order.
#[derive(Clone, Copy, Debug)]
pub struct Number(f64);

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Number {}
impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// The key of a resource, complete and as it is on the wire: the primary value of a multi-valued
/// attribute, or its first.
pub fn sort_key(kind: ResourceKind, path: &AttributePath, resource: &Value) -> SortKey {
    let whole = AttributePath { sub: None, ..path.clone() };
    let candidates = values(kind, &whole, resource);
    let is_primary = |v: &&&Value| {
        v.as_object()
            .and_then(|o| get_ci(o, "primary"))
            .is_some_and(|(_, p)| p.as_bool() == Some(true))
    };
    let Some(chosen) = candidates.iter().find(is_primary).or(candidates.first()) else {
        return SortKey::Missing;
    };
    let mut def = path.def(kind);
    let leaf = match chosen.as_object() {
        None => Some(*chosen),
        Some(object) => {
            let sub = path.sub.as_deref().unwrap_or("value");
            def = def.and_then(|d| d.sub(sub));
            get_ci(object, sub).map(|(_, v)| v)
        }
    };
    match leaf {
        Some(Value::Bool(b)) => SortKey::Boolean(*b),
        Some(Value::Number(n)) => {
            n.as_f64().map_or(SortKey::Missing, |n| SortKey::Number(Number(n)))
        }
        Some(Value::String(s)) if def.is_some_and(|d| d.kind == AttributeType::DateTime) => {
            DateTime::parse_from_rfc3339(s).map_or(SortKey::Missing, |t| SortKey::Time(t.to_utc()))
        }
        Some(Value::String(s)) if def.is_some_and(|d| d.case_exact) => SortKey::Text(s.clone()),
        Some(Value::String(s)) => SortKey::Text(fold_text(s)),
        _ => SortKey::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn primary_or_first_folded_missing_last() {
        let key =
            |path: AttributePath, resource: Value| sort_key(ResourceKind::User, &path, &resource);
        let emails = AttributePath::core("emails");
        let two = json!({ "emails": [{ "value": "B@x" }, { "value": "A@x", "primary": true }] });
        assert_eq!(key(emails.clone(), two), SortKey::Text("a@x".into()));
        assert_eq!(
            key(emails.clone(), json!({ "emails": [{ "value": "B@x" }] })),
            SortKey::Text("b@x".into())
        );
        assert_eq!(key(emails.clone(), json!({})), SortKey::Missing);
        assert!(SortKey::Text("zzz".into()) < SortKey::Missing);
        // Case counts in externalId only.
        assert_ne!(
            key(AttributePath::core("externalId"), json!({ "externalId": "A" })),
            key(AttributePath::core("externalId"), json!({ "externalId": "a" }))
        );
    }

    #[test]
    fn times_sort_as_times() {
        let created = AttributePath { sub: Some("created".into()), ..AttributePath::core("meta") };
        let key =
            |t: &str| sort_key(ResourceKind::User, &created, &json!({ "meta": { "created": t } }));
        assert!(key("2026-11-23T10:00:00+02:00") < key("2026-11-23T09:00:00Z"));
    }
}
