//! The application in process, as the simulated Entra reaches it, and its own people.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_contract::credentials::TOKEN_PATH;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::{Nothing, RequestLine, RouteError};
use rollcall_contract::route;
use rollcall_contract::scim::EnableQuery;
use rollcall_contract::tokens::TokenPath;
use rollcall_entra::play::{Application, Elsewhere};
use rollcall_entra::transport::{Answer, Request, TokenRequest, Transport, TransportError};
use rollcall_server::host::{Host, HostError, HostRequest};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Where SCIM is.
const BASE: &str = "/scim/v2";

/// Hands requests to the application in process.
pub struct InProcess {
    /// The application.
    pub host: Arc<Host>,
}

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: &Request) -> Result<Answer, TransportError> {
        self.answered(HostRequest {
            at: request.at,
            method: request.method.to_string(),
            target: format!("{BASE}{}", request.target),
            headers: owned(request.headers()),
            peer: None,
            body: request.body.clone().unwrap_or_default(),
        })
        .await
    }

    async fn token(&self, request: &TokenRequest) -> Result<Answer, TransportError> {
        self.answered(HostRequest {
            at: request.at,
            method: "POST".to_owned(),
            target: TOKEN_PATH.to_owned(),
            headers: owned(request.headers()),
            peer: None,
            body: request.body.clone().into(),
        })
        .await
    }
}

fn owned(headers: Vec<(&'static str, String)>) -> Vec<(String, String)> {
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl InProcess {
    async fn answered(&self, request: HostRequest) -> Result<Answer, TransportError> {
        let answer = self.host.handle(request).await;
        let answer = answer.map_err(|e| TransportError::Broken(e.to_string()))?;
        let retry_after = answer
            .headers
            .iter()
            .find(|(name, _)| name == "retry-after")
            .and_then(|(_, value)| value.parse().ok());
        let exchanges = answer.exchange.map(|id| id.to_string()).into_iter().collect();
        Ok(Answer { status: answer.status, body: answer.body, retry_after, exchanges })
    }
}

/// The organization's own people: they use the same SCIM interface with a token of their own.
pub struct People {
    /// The application.
    pub host: Arc<Host>,
    /// The organization's slug.
    pub organization: String,
    /// Their token.
    pub token: String,
    /// Entra's token.
    pub entra: Uuid,
}

impl People {
    async fn scim(
        &self,
        at: DateTime<Utc>,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<(), String> {
        let mut request = HostRequest::new(at, method, &format!("{BASE}{path}"), &self.token);
        request.headers.push(("user-agent".to_owned(), "front-desk/1.0".to_owned()));
        if let Some(body) = body {
            request = request.with_body("application/scim+json", body.to_string());
        }
        let answer = self.host.handle(request).await.map_err(|e| e.to_string())?;
        match answer.status {
            200..=299 => Ok(()),
            status => Err(format!("{status}: {}", String::from_utf8_lossy(&answer.body))),
        }
    }

    async fn administer(
        &self,
        at: DateTime<Utc>,
        line: Result<RequestLine, RouteError>,
    ) -> Result<(), String> {
        let line = line.map_err(|e| e.to_string())?;
        let done: Result<Value, HostError> = self.host.administer(at, &line, &Value::Null).await;
        done.map(|_| ()).map_err(|e| e.to_string())
    }
}

#[async_trait]
impl Application for People {
    async fn act(
        &self,
        what: &Elsewhere,
        id: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<(), String> {
        let here = OrganizationPath::of(&self.organization);
        match (what, id) {
            (Elsewhere::CreateUser(name), _) => {
                let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "displayName": "Front desk"});
                self.scim(at, "POST", "/Users", Some(body)).await
            }
            (Elsewhere::CreateGroup(name), _) => {
                let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name});
                self.scim(at, "POST", "/Groups", Some(body)).await
            }
            (Elsewhere::DeleteUser(_), Some(id)) => {
                self.scim(at, "DELETE", &format!("/Users/{id}"), None).await
            }
            (Elsewhere::ChangeUser(_, title), Some(id)) => {
                self.scim(
                    at,
                    "PATCH",
                    &format!("/Users/{id}"),
                    Some(patch(json!({"op": "replace", "path": "title", "value": title}))),
                )
                .await
            }
            (Elsewhere::DeleteGroup(_), Some(id)) => {
                self.scim(at, "DELETE", &format!("/Groups/{id}"), None).await
            }
            (Elsewhere::EmptyGroup(_), Some(id)) => {
                self.scim(
                    at,
                    "PATCH",
                    &format!("/Groups/{id}"),
                    Some(patch(json!({"op": "remove", "path": "members"}))),
                )
                .await
            }
            (Elsewhere::DeleteUser(_) | Elsewhere::ChangeUser(..), None) => {
                Err("the user is not provisioned".to_owned())
            }
            (Elsewhere::DeleteGroup(_) | Elsewhere::EmptyGroup(_), None) => {
                Err("the group is not provisioned".to_owned())
            }
            (Elsewhere::Off, _) => {
                self.administer(at, route::DISABLE_SCIM.line(&here, &Nothing)).await
            }
            // This organization signs nobody in.
            (Elsewhere::On, _) => {
                self.administer(
                    at,
                    route::ENABLE_SCIM.line(&here, &EnableQuery { allow_without_sso: true }),
                )
                .await
            }
            (Elsewhere::Revoke, _) => {
                let path = TokenPath { organization: self.organization.clone(), token: self.entra };
                self.administer(at, route::REVOKE_TOKEN.line(&path, &Nothing)).await
            }
        }
    }
}

fn patch(operation: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]})
}
