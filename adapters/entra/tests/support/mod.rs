//! A target system in memory, whose answers depend on nothing but what it was told: ids are made
//! from names. It knows just as much SCIM as the client speaks.

use async_trait::async_trait;
use rollcall_entra::client::Target;
use rollcall_entra::seed::Seed;
use rollcall_entra::transport::{Answer, Method, Request, Transport, TransportError};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Users and groups by id, and every request received.
#[derive(Default)]
pub struct Roll {
    pub users: Mutex<BTreeMap<String, Value>>,
    pub groups: Mutex<BTreeMap<String, Value>>,
    pub received: Mutex<Vec<(String, String, String)>>,
    pub refuse: Mutex<Option<u16>>,
}

impl Roll {
    /// Answers everything with this status from now on.
    pub fn refuse(&self, status: Option<u16>) {
        *self.refuse.lock().expect("unpoisoned") = status;
    }

    /// The user with a sign-in name.
    pub fn user(&self, name: &str) -> Option<Value> {
        self.users
            .lock()
            .expect("unpoisoned")
            .values()
            .find(|u| same(&u["userName"], name))
            .cloned()
    }

    /// The methods and targets received, without bodies.
    pub fn lines(&self) -> Vec<String> {
        self.received
            .lock()
            .expect("unpoisoned")
            .iter()
            .map(|(method, target, _)| format!("{method} {target}"))
            .collect()
    }

    fn answer(&self, request: &Request) -> (u16, Value) {
        if let Some(status) = *self.refuse.lock().expect("unpoisoned") {
            return (status, json!({"detail": "refused"}));
        }
        if &*request.bearer != "good" {
            return (401, json!({"detail": "unknown token"}));
        }
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let mut parts = path.trim_start_matches('/').split('/');
        let (kind, id) = (parts.next().unwrap_or_default(), parts.next());
        let shelf = if kind == "Users" { &self.users } else { &self.groups };
        let mut shelf = shelf.lock().expect("unpoisoned");
        let body: Value = request
            .body
            .as_deref()
            .map_or(Value::Null, |b| serde_json::from_slice(b).expect("JSON"));
        let name = if kind == "Users" { "userName" } else { "displayName" };
        match (request.method, id) {
            (Method::Get, None) => {
                let found: Vec<&Value> = shelf.values().filter(|r| matches(r, query)).collect();
                (200, json!({"totalResults": found.len(), "Resources": found}))
            }
            (Method::Post, _)
                if shelf
                    .values()
                    .any(|r| same(&r[name], body[name].as_str().unwrap_or_default())) =>
            {
                (409, json!({"detail": "taken"}))
            }
            (Method::Post, _) if bad(&body["active"]) => {
                (400, json!({"detail": "active is no boolean"}))
            }
            (Method::Post, _) => {
                let mut made = body.clone();
                let id = Seed::new(1).uuid(&format!("{kind} {}", body[name]), 0).to_string();
                made["id"] = json!(id);
                shelf.insert(id, made.clone());
                (201, made)
            }
            (Method::Get, Some(id)) => {
                shelf.get(id).map_or((404, json!({"detail": "gone"})), |r| (200, r.clone()))
            }
            (Method::Delete, Some(id)) => {
                (if shelf.remove(id).is_some() { 204 } else { 404 }, Value::Null)
            }
            (Method::Patch, Some(id)) => match shelf.get_mut(id) {
                None => (404, json!({"detail": "gone"})),
                Some(resource) => patch(resource, &body),
            },
            (Method::Delete, None) | (Method::Patch, None) => (405, Value::Null),
        }
    }
}

fn same(value: &Value, name: &str) -> bool {
    value.as_str().is_some_and(|v| v.to_lowercase() == name.to_lowercase())
}

fn bad(active: &Value) -> bool {
    active.as_str().is_some_and(|text| !matches!(text, "True" | "False"))
}

fn matches(resource: &Value, query: &str) -> bool {
    let decoded = percent(query);
    let filter = decoded.split('&').find_map(|p| p.strip_prefix("filter=")).expect("a filter");
    filter.split(" and ").all(|part| {
        let (path, value) = part.split_once(" eq ").expect("eq");
        let value = value.trim_matches('"');
        match path {
            "members" => resource["members"]
                .as_array()
                .is_some_and(|m| m.iter().any(|m| m["value"] == value)),
            "manager" => resource[rollcall_entra::client::ENTERPRISE]["manager"]["value"] == value,
            path => Target::new(path).read(resource).is_some_and(|v| same(v, value)),
        }
    })
}

fn percent(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        bytes.push(match b {
            b'+' => b' ',
            b'%' => {
                let hex: String =
                    [rest.next(), rest.next()].into_iter().flatten().map(char::from).collect();
                u8::from_str_radix(&hex, 16).expect("hex")
            }
            other => other,
        });
    }
    String::from_utf8(bytes).expect("UTF-8")
}

fn patch(resource: &mut Value, body: &Value) -> (u16, Value) {
    let mut object: Map<String, Value> = resource.as_object().cloned().expect("an object");
    for operation in body["Operations"].as_array().expect("operations") {
        let (op, value) =
            (operation["op"].as_str().expect("op").to_lowercase(), &operation["value"]);
        let Some(path) = operation["path"].as_str() else {
            for (path, value) in value.as_object().expect("a pathless object") {
                Target::new(path).write(&mut object, value.clone());
            }
            continue;
        };
        if path == "members" || path.starts_with("members[") {
            let members = object
                .entry("members")
                .or_insert_with(|| json!([]))
                .as_array_mut()
                .expect("members");
            let named: Vec<Value> = match path.strip_prefix("members[value eq \"") {
                Some(rest) => vec![json!(rest.trim_end_matches("\"]"))],
                None => {
                    value.as_array().expect("a list").iter().map(|m| m["value"].clone()).collect()
                }
            };
            members.retain(|m| !named.contains(&m["value"]));
            if op == "add" {
                members.extend(named.into_iter().map(|value| json!({"value": value})));
            }
        } else if path.ends_with(":manager") {
            let value = if op == "remove" {
                Value::Null
            } else {
                json!({"value": value.get("value").unwrap_or(value)})
            };
            Target::new(path).write(&mut object, value);
        } else if path == "active" {
            if bad(value) {
                return (400, json!({"detail": "active is no boolean"}));
            }
            object.insert("active".to_owned(), json!(value == &json!(true) || value == "True"));
        } else {
            Target::new(path).write(&mut object, value.clone());
        }
    }
    *resource = Value::Object(object);
    (200, resource.clone())
}

#[async_trait]
impl Transport for Roll {
    async fn send(&self, request: &Request) -> Result<Answer, TransportError> {
        let body = request
            .body
            .as_ref()
            .map(|b| String::from_utf8_lossy(b).into_owned())
            .unwrap_or_default();
        self.received.lock().expect("unpoisoned").push((
            request.method.to_string(),
            request.target.clone(),
            body,
        ));
        let (status, body) = self.answer(request);
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        Ok(Answer { status, body: body.into(), ..Answer::default() })
    }
}
