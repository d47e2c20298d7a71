//! A SCIM client as Entra is one: a bearer token, SCIM JSON, one connection.

use crate::http::{Address, Answer, Http, Request};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// The SCIM base below the server's address.
pub const BASE: &str = "/scim/v2";
/// What Entra sends as content type.
pub const CONTENT_TYPE: &str = "application/scim+json; charset=utf-8";

/// A caller of one server's SCIM endpoint.
#[derive(Clone, Debug)]
pub struct Scim {
    http: Http,
    token: Option<String>,
}

impl Scim {
    /// A caller without a token.
    pub fn anonymous(address: Address) -> Self {
        Self { http: Http::new(address), token: None }
    }

    /// The same server called with another token, over a connection of its own.
    pub fn with_token(&self, token: &str) -> Self {
        Self { http: self.http.fresh(), token: Some(token.to_owned()) }
    }

    /// The same caller over a connection of its own.
    pub fn fresh(&self) -> Self {
        Self { http: self.http.fresh(), token: self.token.clone() }
    }

    /// The token, if there is one.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The connection, for requests that are not SCIM.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// A request below the SCIM base, with the token and nothing else.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let request = Request::new(method, format!("{BASE}{path}"));
        match &self.token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request) -> Result<Answer> {
        self.http.send(request).await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.request("GET", path)).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request("POST", path).json(CONTENT_TYPE, body)).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request("PUT", path).json(CONTENT_TYPE, body)).await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request("PATCH", path).json(CONTENT_TYPE, body)).await
    }

    /// PATCH with these operations.
    pub async fn operations(&self, path: &str, operations: Value) -> Result<Answer> {
        self.patch(path, &json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(self.request("DELETE", path)).await
    }

    /// Creates a user with nothing but a `userName`; gives its id.
    pub async fn create_user(&self, user_name: &str) -> Result<String> {
        id(self.post("/Users", &user(user_name)).await?.expect_json(201)?)
    }

    /// Creates an empty group; gives its id.
    pub async fn create_group(&self, display_name: &str) -> Result<String> {
        id(self.post("/Groups", &group(display_name)).await?.expect_json(201)?)
    }

    /// The ids of a group's members, sorted.
    pub async fn members(&self, group: &str) -> Result<Vec<String>> {
        let body = self.get(&format!("/Groups/{group}")).await?.expect_json(200)?;
        let members = body["members"].as_array().cloned().unwrap_or_default();
        let mut ids = members
            .iter()
            .map(|m| m["value"].as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .context("a member without value")?;
        ids.sort();
        Ok(ids)
    }
}

/// The `id` of a resource.
pub fn id(resource: Value) -> Result<String> {
    Ok(resource["id"].as_str().with_context(|| format!("no id in {resource}"))?.to_owned())
}

/// A minimal user.
pub fn user(user_name: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": user_name})
}

/// A minimal group.
pub fn group(display_name: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": display_name})
}

/// The legacy operation that adds these members.
pub fn add_members(ids: &[&str]) -> Value {
    json!([{"op": "Add", "path": "members", "value": ids.iter().map(|id| json!({"value": id})).collect::<Vec<_>>()}])
}

/// The operation that removes one member.
pub fn remove_member(id: &str) -> Value {
    json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}])
}

/// A filter as a query string, form-encoded as Entra does it.
pub fn filter(text: &str) -> String {
    format!("filter={}", form_encode(text))
}

/// Form encoding: blank as `+`, everything but unreserved characters as `%XX`.
pub fn form_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => {
                out.push(byte as char)
            }
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn filters_are_encoded_as_entra_does() {
        assert_eq!(super::filter("userName eq \"a@b.c\""), "filter=userName+eq+%22a%40b.c%22");
    }
}
