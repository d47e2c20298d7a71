//! Resources as they go out (RFC 7643 section 3, RFC 7644 sections 3.4.2.5 and 3.9).

use super::characteristic::Returned;
use super::filter::AttributePath;
use super::matching::matches_element;
use super::names::is_urn;
use super::resource_kind::ResourceKind;
use super::schema::ENTERPRISE_URN;
use super::{Attributes, get_ci};
use crate::ids::ResourceId;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

/// What we say about a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// When it came to be.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub last_modified: DateTime<Utc>,
    /// How many events it has; the ETag.
    pub version: u64,
    /// Its URL.
    pub location: String,
}

impl Meta {
    /// The weak ETag, `W/"n"`.
    pub fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
}

/// The complete resource. `groups` are those of a user, `members` those of a group, each as it goes
/// out; none leaves the attribute away, and so does an empty list.
pub fn render_resource(
    kind: ResourceKind,
    id: ResourceId,
    attributes: &Attributes,
    meta: &Meta,
    groups: Option<Vec<Value>>,
    members: Option<Vec<Value>>,
) -> Value {
    let extensions = attributes.keys().filter(|k| is_urn(k)).map(String::as_str);
    let schemas: Vec<&str> = std::iter::once(kind.schema_urn()).chain(extensions).collect();
    let mut resource = attributes.clone();
    refer_to_manager(kind, &mut resource, &meta.location);
    for (name, related) in [("groups", groups), ("members", members)] {
        if let Some(related) = related.filter(|r| !r.is_empty()) {
            resource.insert(name.to_owned(), Value::Array(related));
        }
    }
    resource.insert("schemas".to_owned(), json!(schemas));
    resource.insert("id".to_owned(), Value::String(id.to_string()));
    let time = |t: DateTime<Utc>| t.to_rfc3339_opts(SecondsFormat::Millis, true);
    let meta = json!({
        "resourceType": kind.name(),
        "created": time(meta.created),
        "lastModified": time(meta.last_modified),
        "location": meta.location,
        "version": meta.etag(),
    });
    resource.insert("meta".to_owned(), meta);
    Value::Object(resource)
}

/// The manager's URL is derived from its id, so that it is right under whatever base URL we are
/// asked.
fn refer_to_manager(kind: ResourceKind, resource: &mut Attributes, location: &str) {
    let Some((base, _)) = location.rsplit_once(kind.endpoint()) else { return };
    let manager = resource
        .get_mut(ENTERPRISE_URN)
        .and_then(|e| e.get_mut("manager"))
        .and_then(Value::as_object_mut);
    if let Some(manager) = manager
        && let Some(Ok(id)) =
            manager.get("value").and_then(Value::as_str).map(str::parse::<ResourceId>)
    {
        manager.insert(
            "$ref".to_owned(),
            Value::String(format!("{base}{}/{id}", ResourceKind::User.endpoint())),
        );
    }
}

/// Leaves of a resource what was asked for (RFC 7644 section 3.9). `id` and `schemas` always stay.
/// No `attributes` means all of them.
pub fn project(
    kind: ResourceKind,
    resource: &mut Value,
    attributes: &[AttributePath],
    excluded: &[AttributePath],
) {
    let Value::Object(all) = resource else { return };
    if !attributes.is_empty() {
        let mut kept = Map::new();
        for (name, value) in all.iter().filter(|(name, _)| is_always(kind, name)) {
            kept.insert(name.clone(), value.clone());
        }
        for path in attributes {
            include(kind, all, &mut kept, path);
        }
        *all = kept;
    }
    for path in excluded {
        exclude(kind, all, path);
    }
}

fn is_always(kind: ResourceKind, name: &str) -> bool {
    kind.attribute(name).is_some_and(|d| d.returned == Returned::Always)
}

/// The key of the whole extension a path names: a schema alone, or a custom URN that reads like a
/// path because its last part could be an attribute.
fn schema_key<'a>(all: &'a Map<String, Value>, path: &AttributePath) -> Option<&'a String> {
    let urn = path.urn.as_deref()?;
    let found = if path.is_schema() { get_ci(all, urn) } else { get_ci(all, &path.to_string()) };
    found.map(|(k, _)| k)
}

fn include(
    kind: ResourceKind,
    all: &Map<String, Value>,
    kept: &mut Map<String, Value>,
    path: &AttributePath,
) {
    if path.is_schema() && path.urn.as_deref() == Some(kind.schema_urn()) {
        kept.extend(all.iter().filter(|(k, _)| !is_urn(k)).map(|(k, v)| (k.clone(), v.clone())));
        return;
    }
    if let Some(key) = schema_key(all, path) {
        kept.insert(key.clone(), all[key].clone());
        return;
    }
    match &path.urn {
        None => include_attribute(kind, all, kept, path),
        Some(urn) => {
            let Some((key, Value::Object(extension))) = get_ci(all, urn) else { return };
            let mut inner = match kept.remove(key) {
                Some(Value::Object(inner)) => inner,
                _ => Map::new(),
            };
            include_attribute(kind, extension, &mut inner, path);
            if !inner.is_empty() {
                kept.insert(key.clone(), Value::Object(inner));
            }
        }
    }
}

fn include_attribute(
    kind: ResourceKind,
    all: &Map<String, Value>,
    kept: &mut Map<String, Value>,
    path: &AttributePath,
) {
    let Some((name, value)) = get_ci(all, &path.attribute) else { return };
    let wanted = |element: &Value| {
        path.filter.as_ref().is_none_or(|f| matches_element(path.def(kind), f, element))
    };
    let narrowed = match (value, &path.sub) {
        (Value::Array(items), sub) => {
            // One entry for each value, so that sub-attributes asked for one by one come together.
            let chosen = items.iter().filter(|e| wanted(e));
            let parts: Vec<Value> =
                chosen.map(|e| sub.as_deref().map_or_else(|| e.clone(), |s| only(e, s))).collect();
            (!parts.is_empty()).then_some(Value::Array(parts))
        }
        (Value::Object(_), Some(sub)) => Some(only(value, sub)),
        (value, _) => Some(value.clone()),
    };
    let Some(narrowed) = narrowed else { return };
    let together = match kept.remove(name) {
        Some(before) => join(before, narrowed),
        None => narrowed,
    };
    kept.insert(name.clone(), together);
}

fn only(value: &Value, sub: &str) -> Value {
    let part = value.as_object().and_then(|o| get_ci(o, sub));
    Value::Object(part.into_iter().map(|(k, v)| (k.clone(), v.clone())).collect())
}

/// Two views of the same value.
fn join(a: Value, b: Value) -> Value {
    match (a, b) {
        (Value::Object(mut a), Value::Object(b)) => {
            a.extend(b);
            Value::Object(a)
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            Value::Array(a.into_iter().zip(b).map(|(a, b)| join(a, b)).collect())
        }
        (Value::Array(mut a), Value::Array(b)) => {
            // Different filters chose different values.
            for value in b {
                if !a.contains(&value) {
                    a.push(value);
                }
            }
            Value::Array(a)
        }
        (a, _) => a,
    }
}

fn exclude(kind: ResourceKind, all: &mut Map<String, Value>, path: &AttributePath) {
    if let Some(key) = schema_key(all, path).cloned() {
        all.remove(&key);
        return;
    }
    match &path.urn {
        None if is_always(kind, &path.attribute) => {}
        None => exclude_attribute(kind, all, path),
        Some(urn) => {
            let Some((key, _)) = get_ci(all, urn) else { return };
            let key = key.clone();
            if let Some(Value::Object(extension)) = all.get_mut(&key) {
                exclude_attribute(kind, extension, path);
                if extension.is_empty() {
                    all.remove(&key);
                }
            }
        }
    }
}

fn exclude_attribute(kind: ResourceKind, all: &mut Map<String, Value>, path: &AttributePath) {
    let Some((name, _)) = get_ci(all, &path.attribute) else { return };
    let name = name.clone();
    let def = path.def(kind);
    let emptied = match (all.get_mut(&name), &path.sub) {
        (Some(Value::Array(items)), sub) if sub.is_some() || path.filter.is_some() => {
            let chosen =
                |e: &Value| path.filter.as_ref().is_none_or(|f| matches_element(def, f, e));
            match sub {
                Some(sub) => items.iter_mut().filter(|e| chosen(e)).for_each(|e| without(e, sub)),
                None => items.retain(|e| !chosen(e)),
            }
            items.retain(|e| e.as_object().is_none_or(|o| !o.is_empty()));
            items.is_empty()
        }
        (Some(value @ Value::Object(_)), Some(sub)) => {
            without(value, sub);
            value.as_object().is_some_and(Map::is_empty)
        }
        (_, None) => true,
        _ => false,
    };
    if emptied {
        all.remove(&name);
    }
}

fn without(value: &mut Value, sub: &str) {
    if let Value::Object(object) = value
        && let Some((key, _)) = get_ci(object, sub)
    {
        let key = key.clone();
        object.remove(&key);
    }
}
