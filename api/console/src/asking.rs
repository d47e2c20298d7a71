//! Asks `/api/v1` in the name of whoever is signed in, within the process: by its routes, through
//! its guards, with its exchanges.

use crate::trouble::Trouble;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use rollcall_contract::Problem;
use rollcall_contract::page::NEXT_CURSOR;
use rollcall_contract::request_line::{RequestLine, RouteError};
use rollcall_door::callers::SignedIn;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use tower::ServiceExt as _;

/// More than any answer that a page is made of: what may be longer is downloaded from the API.
const ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// Somebody who asks.
#[derive(Clone)]
pub struct Asker {
    api: Router,
    signed_in: SignedIn,
    peer: Option<SocketAddr>,
    /// What the browser says it is: exchanges keep it.
    agent: Option<HeaderValue>,
}

impl Asker {
    /// Somebody signed in, by a request of their browser.
    pub fn new(
        api: Router,
        signed_in: SignedIn,
        peer: Option<SocketAddr>,
        headers: &HeaderMap,
    ) -> Self {
        Self { api, signed_in, peer, agent: headers.get(header::USER_AGENT).cloned() }
    }

    /// Asks, and reads the answer.
    ///
    /// # Errors
    /// If it is refused, or cannot be answered now.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        line: Result<RequestLine, RouteError>,
    ) -> Result<T, Trouble> {
        read(self.send(line, Body::empty()).await?).await
    }

    /// Asks for a page of a list; gives the cursor of the next as well.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn page<T: DeserializeOwned>(
        &self,
        line: Result<RequestLine, RouteError>,
    ) -> Result<(T, Option<String>), Trouble> {
        let response = self.send(line, Body::empty()).await?;
        let next = response.headers().get(NEXT_CURSOR).and_then(|v| v.to_str().ok());
        let next = next.map(str::to_owned);
        Ok((read(response).await?, next))
    }

    /// Tells something, and reads the answer.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn tell<T: DeserializeOwned>(
        &self,
        line: Result<RequestLine, RouteError>,
        body: &impl Serialize,
    ) -> Result<T, Trouble> {
        read(self.send(line, json(body)?).await?).await
    }

    /// Has something done.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn act(&self, line: Result<RequestLine, RouteError>) -> Result<(), Trouble> {
        self.send(line, Body::empty()).await.map(drop)
    }

    /// Tells something that is answered line by line (replays): the lines.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn lines<T: DeserializeOwned>(
        &self,
        line: Result<RequestLine, RouteError>,
        body: &impl Serialize,
    ) -> Result<Vec<T>, Trouble> {
        let response = self.send(line, json(body)?).await?;
        let body = to_bytes(response.into_body(), ANSWER_BYTES).await.map_err(too_long)?;
        let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(serde_json::from_slice).collect::<Result<_, _>>().map_err(strange)
    }

    /// Asks, and gives the answer as it comes: for files.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn answer(&self, line: Result<RequestLine, RouteError>) -> Result<Response, Trouble> {
        self.send(line, Body::empty()).await
    }

    /// The answer as it is.
    async fn send(
        &self,
        line: Result<RequestLine, RouteError>,
        body: Body,
    ) -> Result<Response, Trouble> {
        let line = line.map_err(|e| Trouble::new(StatusCode::NOT_FOUND, e.to_string()))?;
        let builder = Request::builder().method(line.method.as_str()).uri(line.target);
        let mut request = builder
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|e| Trouble::new(StatusCode::BAD_REQUEST, e.to_string()))?;
        if let Some(agent) = &self.agent {
            request.headers_mut().insert(header::USER_AGENT, agent.clone());
        }
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        request.extensions_mut().insert(self.signed_in.clone());
        // A router is always ready and never fails.
        let Ok(response) = self.api.clone().oneshot(request).await;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = to_bytes(response.into_body(), ANSWER_BYTES).await.map_err(too_long)?;
        Err(match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Trouble::Refused(Box::new(problem)),
            Err(_) => Trouble::new(status, status.to_string()),
        })
    }
}

fn json(body: &impl Serialize) -> Result<Body, Trouble> {
    serde_json::to_vec(body).map(Body::from).map_err(strange)
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Trouble> {
    let body = to_bytes(response.into_body(), ANSWER_BYTES).await.map_err(too_long)?;
    // An answer without a body is read as null.
    serde_json::from_slice(if body.is_empty() { b"null" } else { &body }).map_err(strange)
}

fn too_long(error: axum::Error) -> Trouble {
    tracing::warn!(%error, "the console could not read an answer to its end");
    Trouble::new(StatusCode::SERVICE_UNAVAILABLE, crate::tell::TOO_LONG)
}

fn strange(error: serde_json::Error) -> Trouble {
    tracing::warn!(%error, "the console could not read an answer");
    Trouble::new(StatusCode::INTERNAL_SERVER_ERROR, crate::tell::STRANGE)
}
