//! What a request wanted, read from its body in one place for every write, served or refused. It is
//! read as far as it can be: what cannot be read is counted.

use super::ends::{ends_of, is_told_by};
use super::plain::{active_of, names_active, names_members, says_active};
use crate::access_end::AccessEnd;
use crate::facts::{Change, Wants};
use crate::ids::ResourceId;
use crate::interpretation::Notes;
use crate::scim::{
    AttributePath, DecodedResource, Intent, Limits, Policy, ResourceKind, USER_URN, decode_patch,
    decode_resource,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// So many attributes, and so many members, are kept of what one request wanted.
pub(super) const MOST: usize = 200;

/// So many ends of access are kept of a bulk request: more than it may have operations, unless an
/// operator allows more.
const MOST_ENDS: usize = 2_000;

/// A write, as far as its wants go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// POST.
    Create(ResourceKind),
    /// PUT.
    Replace(ResourceKind),
    /// PATCH.
    Patch(ResourceKind),
    /// DELETE.
    Delete,
    /// A bulk request of which no operation was carried out.
    Bulk,
}

/// What a write wanted. `keyed` hashes a text under the organization's key.
pub fn wanted(
    write: Wanted,
    body: Option<&Value>,
    limits: &Limits,
    keyed: &dyn Fn(&str) -> String,
) -> Wants {
    // What a strict connection refuses is wanted all the same.
    let limits =
        Limits { policy: Policy::default(), refused: Default::default(), ..limits.clone() };
    let mut reader = Reader { limits, keyed, wants: Wants::default() };
    if let (Wanted::Replace(_) | Wanted::Patch(_) | Wanted::Bulk, Some(body)) = (write, body) {
        reader.wants.request = Some(keyed(&format!("request {body}")));
    }
    match (write, body) {
        (Wanted::Delete, _) => {
            reader.wants.deletes = true;
            reader.wants.ends_access = true;
        }
        (_, None) => reader.wants.unread = 1,
        (Wanted::Create(kind), Some(body)) => {
            reader.resource(kind, body);
            // Nobody has any access yet.
            reader.wants.members_replaced = false;
            reader.wants.ends_access = false;
            reader.wants.removes_somebody = false;
        }
        (Wanted::Replace(kind), Some(body)) => reader.resource(kind, body),
        (Wanted::Patch(kind), Some(body)) => reader.patch(kind, body),
        (Wanted::Bulk, Some(body)) => reader.bulk(body),
    }
    reader.done()
}

pub(super) struct Reader<'a> {
    pub(super) limits: Limits,
    pub(super) keyed: &'a dyn Fn(&str) -> String,
    pub(super) wants: Wants,
}

impl Reader<'_> {
    fn done(mut self) -> Wants {
        let total = self.wants.attributes.len() + self.wants.added.len() + self.wants.removed.len();
        let all = (self.wants.attributes.len() > MOST
            || self.wants.added.len() + self.wants.removed.len() > MOST)
            .then(|| (self.keyed)(&json!(self.wants).to_string()));
        self.wants.attributes.truncate(MOST);
        self.wants.removed.truncate(MOST);
        self.wants.added.truncate(MOST - self.wants.removed.len());
        let kept = self.wants.attributes.len() + self.wants.added.len() + self.wants.removed.len();
        let ends = self.wants.ends.len();
        self.wants.ends.truncate(MOST_ENDS);
        self.wants.more = (total - kept + ends - self.wants.ends.len()) as u64;
        self.wants.all = all;
        self.wants
    }

    pub(super) fn set(&mut self, path: String, value: &Value) {
        if path.eq_ignore_ascii_case("active") {
            return self.set_active(value);
        }
        match value {
            Value::Object(parts) => {
                for (name, part) in parts {
                    if !name.eq_ignore_ascii_case("password") {
                        let joint = if path.to_ascii_lowercase().starts_with("urn:")
                            && !path.contains('.')
                        {
                            ':'
                        } else {
                            '.'
                        };
                        self.set(format!("{path}{joint}{name}"), part);
                    }
                }
            }
            Value::Null => self.wants.attributes.push(Change { path, value: None }),
            value => {
                let text = match value {
                    // Clients send booleans as text.
                    Value::String(text) if is_boolean(text) => text.to_ascii_lowercase(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let value = (self.keyed)(&format!("{} {text}", path.to_ascii_lowercase()));
                self.wants.attributes.push(Change { path, value: Some(value) });
            }
        }
    }

    /// A user is to be on, or off, or it cannot be told which of the two. What is no value asks for
    /// neither.
    pub(super) fn set_active(&mut self, value: &Value) {
        match says_active(value) {
            Some(false) => self.wants.ends_access = true,
            Some(true) => self.wants.enables = true,
            None if says_nothing(value) => return self.wants.unread += 1,
            None => {}
        }
        let text = says_active(value).map_or_else(|| value.to_string(), |on| on.to_string());
        let value = Some((self.keyed)(&format!("active {text}")));
        self.wants.attributes.push(Change { path: "active".to_owned(), value });
    }

    pub(super) fn path(&self, path: &AttributePath) -> String {
        let shown = path.label();
        if path.filter.is_none() || shown == path.to_string() {
            return shown;
        }
        let plain = AttributePath { filter: None, sub: None, ..path.clone() };
        let sub = path.sub.iter().map(|sub| format!(".{sub}")).collect::<String>();
        format!("{plain}[{}]{sub}", (self.keyed)(&path.to_string()))
    }

    fn resource(&mut self, kind: ResourceKind, body: &Value) {
        self.wants.whole = true;
        match decode_resource(kind, body, &self.limits, &mut Notes::default()) {
            Ok(DecodedResource { attributes, members }) => {
                self.object(&attributes);
                if let Some(members) = members {
                    self.replace_members(members);
                }
            }
            Err(_) => match body.as_object() {
                None => self.wants.unread += 1,
                Some(object) => self.as_sent(kind, object),
            },
        }
    }

    fn object(&mut self, attributes: &Map<String, Value>) {
        for (name, value) in attributes {
            self.set(name.clone(), value);
        }
    }

    /// A body that is refused: its keys as they are.
    pub(super) fn as_sent(&mut self, kind: ResourceKind, object: &Map<String, Value>) {
        const DERIVED: [&str; 5] = ["schemas", "id", "meta", "groups", "password"];
        for (name, value) in object {
            if kind == ResourceKind::User && names_active(name) {
                self.set_active(value);
            } else if kind == ResourceKind::User && active_of(&json!({ name: value })).is_some() {
                // The core schema, with all that is below it.
                value.as_object().into_iter().for_each(|parts| self.as_sent(kind, parts));
            } else if kind == ResourceKind::Group && names_members(name) {
                let (ids, unread) = ids(value);
                self.wants.unread += unread;
                self.replace_members(ids);
            } else if !DERIVED.iter().any(|known| name.eq_ignore_ascii_case(known)) {
                self.set(name.clone(), value);
            }
        }
    }

    pub(super) fn replace_members(&mut self, members: Vec<ResourceId>) {
        self.wants.added.extend(members);
        self.wants.members_replaced = true;
        // Whoever is not among them loses the group.
        self.wants.ends_access = true;
    }

    fn patch(&mut self, kind: ResourceKind, body: &Value) {
        if let Ok(intents) = decode_patch(kind, body, &self.limits, &mut Notes::default()) {
            return self.intents(intents);
        }
        let operations = body.as_object().and_then(|o| member(o, "Operations"));
        let operations = match operations {
            Some(Value::Array(operations)) => operations.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => return self.wants.unread += 1,
        };
        let (read, left) = operations.split_at(operations.len().min(MOST));
        self.wants.unread += left.len() as u64;
        for operation in read {
            // One that cannot be read does not hide what stands beside it.
            match decode_patch(
                kind,
                &json!({ "Operations": [operation] }),
                &self.limits,
                &mut Notes::default(),
            ) {
                Ok(intents) => self.intents(intents),
                Err(_) => self.unreadable(kind, operation),
            }
        }
    }

    pub(super) fn intents(&mut self, intents: Vec<Intent>) {
        for intent in intents {
            match intent {
                // To add nothing asks for nothing.
                Intent::Add { path, value } if says_nothing(&value) && !is_active(&path) => {}
                Intent::Add { path, value } | Intent::Replace { path, value } => {
                    match is_active(&path) {
                        true => self.set_active(&value),
                        false => self.set(self.path(&path), &value),
                    }
                }
                // Whether somebody without it is on or off is not said.
                Intent::Remove { path, .. } if is_active(&path) => self.wants.unread += 1,
                Intent::Remove { path, value } => {
                    let mut path = self.path(&path);
                    if let Some(value) = value {
                        path = format!("{path}[{}]", (self.keyed)(&format!("{path} {value}")));
                    }
                    self.wants.attributes.push(Change { path, value: None });
                }
                Intent::Assert { .. } => {}
                Intent::AddMembers(members) => self.wants.added.extend(members),
                Intent::RemoveMembers(members) => {
                    self.wants.ends_access |= !members.is_empty();
                    self.wants.removed.extend(members);
                }
                Intent::ReplaceMembers(members) => self.replace_members(members),
                Intent::ClearMembers => self.replace_members(Vec::new()),
            }
        }
    }

    /// What the operations want is told by their own exchanges; here none was carried out.
    fn bulk(&mut self, body: &Value) {
        let operations =
            body.as_object().and_then(|o| member(o, "Operations")).and_then(Value::as_array);
        let Some(operations) = operations else { return self.wants.unread += 1 };
        for operation in operations {
            let (ends, is_all) = self.part(operation);
            self.wants.ends.extend(ends);
            self.wants.unread += u64::from(!is_all);
        }
    }

    /// The access that one operation of a bulk request is to end, and whether that is all it wants.
    fn part(&self, operation: &Value) -> (BTreeSet<AccessEnd>, bool) {
        let Some(operation) = operation.as_object() else { return (BTreeSet::new(), false) };
        let text = |name| member(operation, name).and_then(Value::as_str).unwrap_or_default();
        let path = text("path").split('?').next().unwrap_or_default();
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let (kind, id) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
        let kind = ResourceKind::ALL
            .into_iter()
            .find(|k| k.endpoint().trim_start_matches('/').eq_ignore_ascii_case(kind));
        let (Some(kind), Ok(id)) = (kind, id.to_ascii_lowercase().parse()) else {
            return (BTreeSet::new(), false);
        };
        let write = match text("method").to_ascii_lowercase().as_str() {
            "delete" => Wanted::Delete,
            "put" => Wanted::Replace(kind),
            "patch" => Wanted::Patch(kind),
            _ => return (BTreeSet::new(), false),
        };
        let wants = wanted(write, member(operation, "data"), &self.limits, self.keyed);
        let ends = ends_of(kind, id, &wants);
        let is_all = wants.keys().iter().all(|key| is_told_by(&ends, key));
        (ends, is_all)
    }
}

/// The access that operations of a bulk request were to end which were not carried out, because
/// others had failed before them.
pub fn left_undone(operations: &[Value], limits: &Limits, keyed: &dyn Fn(&str) -> String) -> Wants {
    let mut reader = Reader { limits: limits.clone(), keyed, wants: Wants::default() };
    let ends = operations.iter().flat_map(|operation| reader.part(operation).0).collect();
    reader.wants.ends = ends;
    reader.done()
}

fn is_active(path: &AttributePath) -> bool {
    path.attribute.eq_ignore_ascii_case("active")
        && path.urn.as_deref().is_none_or(|urn| urn.eq_ignore_ascii_case(USER_URN))
}

/// What is unassigned (RFC 7643 section 2.5), or the empty text that Entra sends for it.
pub(super) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(says_nothing),
        Value::Object(parts) => parts.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

pub(super) fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

fn is_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

/// The ids among members as sent, and how many are none.
pub(super) fn ids(value: &Value) -> (Vec<ResourceId>, u64) {
    let items = match value {
        Value::Null => &[],
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let id = |item: &Value| {
        item.as_object().and_then(|o| member(o, "value")).unwrap_or(item).as_str()?.parse().ok()
    };
    let found: Vec<ResourceId> = items.iter().filter_map(id).collect();
    let unread = (items.len() - found.len()) as u64;
    (found, unread)
}
