//! What a request wanted, read from its body in one place for every write, served or refused. It is
//! read as far as it can be: what cannot be read is counted.

use crate::facts::{Change, Wants};
use crate::ids::ResourceId;
use crate::interpretation::Notes;
use crate::scim::{
    AttributePath, DecodedResource, Intent, Limits, Policy, ResourceKind, decode_patch,
    decode_resource,
};
use serde_json::{Map, Value, json};

/// So many attributes, and so many members, are kept of what one request wanted.
const MOST: usize = 200;

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
        }
        (Wanted::Replace(kind), Some(body)) => reader.resource(kind, body),
        (Wanted::Patch(kind), Some(body)) => reader.patch(kind, body),
        (Wanted::Bulk, Some(body)) => reader.bulk(body),
    }
    reader.done()
}

struct Reader<'a> {
    limits: Limits,
    keyed: &'a dyn Fn(&str) -> String,
    wants: Wants,
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
        self.wants.more = (total - kept) as u64;
        self.wants.all = all;
        self.wants
    }

    fn set(&mut self, path: String, value: &Value) {
        if path.eq_ignore_ascii_case("active") && is_false(value) {
            self.wants.ends_access = true;
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

    fn path(&self, path: &AttributePath) -> String {
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
    fn as_sent(&mut self, kind: ResourceKind, object: &Map<String, Value>) {
        const DERIVED: [&str; 5] = ["schemas", "id", "meta", "groups", "password"];
        for (name, value) in object {
            if kind == ResourceKind::Group && name.eq_ignore_ascii_case("members") {
                let (ids, unread) = ids(value);
                self.wants.unread += unread;
                self.replace_members(ids);
            } else if !DERIVED.iter().any(|known| name.eq_ignore_ascii_case(known)) {
                self.set(name.clone(), value);
            }
        }
    }

    fn replace_members(&mut self, members: Vec<ResourceId>) {
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
                Err(_) => self.unread(kind, operation),
            }
        }
    }

    fn unread(&mut self, kind: ResourceKind, operation: &Value) {
        self.wants.unread += 1;
        let Some(operation) = operation.as_object() else { return };
        let text = |name| {
            member(operation, name).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase()
        };
        let (op, path) = (text("op"), text("path"));
        let attribute = path.split(['[', '.']).next().unwrap_or_default();
        self.wants.ends_access |= match kind {
            ResourceKind::Group => op == "remove" && attribute == "members",
            ResourceKind::User => member(operation, "value").is_some_and(|value| {
                let inner = value.as_object().and_then(|o| member(o, "active"));
                (attribute == "active" && is_false(value))
                    || (path.is_empty() && inner.is_some_and(is_false))
            }),
        };
    }

    fn intents(&mut self, intents: Vec<Intent>) {
        for intent in intents {
            match intent {
                Intent::Add { path, value } | Intent::Replace { path, value } => {
                    self.set(self.path(&path), &value)
                }
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
        let mut ends_access = false;
        for operation in operations.iter().filter_map(Value::as_object) {
            let text = |name| {
                member(operation, name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_ascii_lowercase()
            };
            let path = text("path");
            let kind = if path.trim_start_matches('/').starts_with("groups") {
                ResourceKind::Group
            } else {
                ResourceKind::User
            };
            let write = match text("method").as_str() {
                "delete" => Wanted::Delete,
                "put" => Wanted::Replace(kind),
                "patch" => Wanted::Patch(kind),
                _ => continue,
            };
            ends_access |=
                wanted(write, member(operation, "data"), &self.limits, self.keyed).ends_access;
        }
        self.wants = Wants { ends_access, unread: operations.len() as u64, ..Wants::default() };
    }
}

fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

fn is_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

fn is_false(value: &Value) -> bool {
    match value {
        Value::Bool(active) => !active,
        Value::String(text) => text.eq_ignore_ascii_case("false"),
        _ => false,
    }
}

/// The ids among members as sent, and how many are none.
fn ids(value: &Value) -> (Vec<ResourceId>, u64) {
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
