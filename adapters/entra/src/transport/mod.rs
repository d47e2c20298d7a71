//! How a request reaches a server: over HTTP, or however the caller likes.

mod http;
mod line;
mod measured;

pub use http::{HttpError, HttpTransport};
pub use line::{Faults, Line};
pub use measured::{Doing, Measured, Times};

use crate::seed::Seed;
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::Arc;

/// The methods that Entra uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// As it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request as Entra sends it.
#[derive(Clone)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path below the tenant URL and query, encoded.
    pub target: String,
    /// Body, if there is one.
    pub body: Option<Bytes>,
    /// The secret token.
    pub bearer: Arc<str>,
    /// When it is sent.
    pub at: DateTime<Utc>,
    /// Randomness of its own, for what happens to it on the way.
    pub luck: Seed,
}

impl Request {
    /// The headers, in order. There is no `User-Agent`, and a GET has no content type.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("Authorization", format!("Bearer {}", self.bearer)),
            ("Accept", "application/scim+json".to_owned()),
        ];
        if self.body.is_some() {
            headers.push(("Content-Type", "application/scim+json; charset=utf-8".to_owned()));
        }
        headers
    }
}

/// The token is not for logs.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("target", &self.target)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// A request for an access token (RFC 6749 section 4.4).
#[derive(Clone)]
pub struct TokenRequest {
    /// The header `Authorization`, if there is one.
    pub authorization: Option<String>,
    /// The form.
    pub body: String,
    /// When it is sent.
    pub at: DateTime<Utc>,
}

impl TokenRequest {
    /// The headers, in order.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let form = ("Content-Type", "application/x-www-form-urlencoded".to_owned());
        let authorization = self.authorization.iter().map(|a| ("Authorization", a.clone()));
        authorization.chain([form]).collect()
    }
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Bytes,
    /// `Retry-After` in seconds, if it was given.
    pub retry_after: Option<u32>,
    /// What the server calls each delivery of this request: its header `exchange-id`, if it has
    /// one.
    pub exchanges: Vec<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection, or a broken one.
    #[error("the connection failed: {0}")]
    Broken(String),
    /// The server may have acted, but its answer did not arrive.
    #[error("the answer was lost")]
    AnswerLost {
        /// What the server called the deliveries nobody heard of.
        exchanges: Vec<String>,
    },
    /// Nothing came in time.
    #[error("the request timed out")]
    TimedOut,
}

/// A way to a server.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request and waits for the answer.
    ///
    /// # Errors
    /// If there is none; the server may have acted all the same.
    async fn send(&self, request: &Request) -> Result<Answer, TransportError>;

    /// Asks the token endpoint.
    ///
    /// # Errors
    /// If there is none, or no answer.
    async fn token(&self, _request: &TokenRequest) -> Result<Answer, TransportError> {
        Err(TransportError::Broken("there is no token endpoint on this way".to_owned()))
    }
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn send(&self, request: &Request) -> Result<Answer, TransportError> {
        (**self).send(request).await
    }

    async fn token(&self, request: &TokenRequest) -> Result<Answer, TransportError> {
        (**self).token(request).await
    }
}
