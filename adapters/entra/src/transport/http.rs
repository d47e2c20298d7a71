//! Over HTTP, to any base URL.

use super::{Answer, Method, Request, TokenRequest, Transport, TransportError};
use async_trait::async_trait;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};
use std::time::Duration;

/// Why a base URL cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// It is no URL.
    #[error("{0} is no http or https address")]
    NoAddress(String),
    /// The client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// Kept-alive connections to one tenant URL.
#[derive(Debug)]
pub struct HttpTransport {
    client: Client,
    base: String,
    token_url: Option<String>,
}

impl HttpTransport {
    /// A way to a tenant URL; a request may take so long. A query in the URL, such as Entra's
    /// flag, is not part of what is called.
    ///
    /// # Errors
    /// If the URL is none.
    pub fn new(base: &str, patience: Duration) -> Result<Self, HttpError> {
        let wrong = || HttpError::NoAddress(base.to_owned());
        let url = Url::parse(base).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong());
        }
        let mut client = Client::builder()
            .http1_only()
            .redirect(Policy::none())
            .timeout(patience)
            .pool_max_idle_per_host(1_024);
        if matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
            // A token must not travel through a proxy to reach this very machine.
            client = client.no_proxy();
        }
        let plain = base.split(['?', '#']).next().unwrap_or_default();
        Ok(Self {
            client: client.build()?,
            base: plain.trim_end_matches('/').to_owned(),
            token_url: None,
        })
    }

    /// The host of the tenant URL, as it is written there.
    pub fn host(&self) -> &str {
        let after = self.base.split_once("://").map_or(self.base.as_str(), |(_, after)| after);
        after.split(['/', ':']).next().unwrap_or_default()
    }

    /// The same with a token endpoint.
    pub fn with_token_url(self, url: &str) -> Self {
        Self { token_url: Some(url.to_owned()), ..self }
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: &Request) -> Result<Answer, TransportError> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut sent = self.client.request(method, format!("{}{}", self.base, request.target));
        for (name, value) in request.headers() {
            sent = sent.header(name, value);
        }
        if let Some(body) = &request.body {
            sent = sent.body(body.clone());
        }
        answered(sent).await
    }

    async fn token(&self, request: &TokenRequest) -> Result<Answer, TransportError> {
        let url = self.token_url.as_deref().ok_or_else(|| {
            TransportError::Broken("there is no token endpoint on this way".to_owned())
        })?;
        let mut sent = self.client.post(url).body(request.body.clone());
        for (name, value) in request.headers() {
            sent = sent.header(name, value);
        }
        answered(sent).await
    }
}

async fn answered(sent: RequestBuilder) -> Result<Answer, TransportError> {
    let response = sent.send().await.map_err(|e| broken(&e))?;
    let header =
        |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let (status, retry_after) =
        (response.status().as_u16(), header("retry-after").and_then(|s| s.parse().ok()));
    let exchanges = header("exchange-id").into_iter().collect();
    let body = response.bytes().await.map_err(|e| broken(&e))?;
    Ok(Answer { status, body, retry_after, exchanges })
}

fn broken(error: &reqwest::Error) -> TransportError {
    if error.is_timeout() {
        return TransportError::TimedOut;
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    TransportError::Broken(text)
}
