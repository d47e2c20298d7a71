//! A plain HTTP/1.1 client over one kept-alive connection: it sends the headers it is given and
//! none of its own but `Host` and `Content-Length`, because what Entra leaves out matters too.

use crate::answered::Answered;
use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HeaderMap;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

/// No request of a test may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a server listens; shared, because a restarted server may listen elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Address(Arc<RwLock<String>>);

impl Address {
    /// `host:port`.
    pub fn new(authority: &str) -> Self {
        let address = Self::default();
        address.set(authority);
        address
    }

    /// Says that the server listens elsewhere now.
    pub fn set(&self, authority: &str) {
        *self.0.write().unwrap_or_else(|e| e.into_inner()) = authority.to_owned();
    }

    /// `host:port`.
    pub fn authority(&self) -> String {
        self.0.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.authority())
    }
}

/// A request as it goes on the wire.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, as it is to be sent.
    pub method: String,
    /// Path and query, encoded.
    pub target: String,
    /// Headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body; `None` sends neither body nor `Content-Length`.
    pub body: Option<Bytes>,
}

impl Request {
    /// A request without headers or body.
    pub fn new(method: &str, target: impl Into<String>) -> Self {
        Self { method: method.to_owned(), target: target.into(), headers: Vec::new(), body: None }
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With a body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With a JSON body and its content type.
    pub fn json(self, content_type: &str, body: &Value) -> Self {
        self.header("Content-Type", content_type).body(body.to_string())
    }
}

/// What the server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Method and target of the request, for messages.
    pub asked: String,
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body as received.
    pub body: Bytes,
}

impl Answer {
    /// A header's value, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The body as text, for messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| {
            format!("{}: {} with no JSON body: {:?}", self.asked, self.status, self.text())
        })
    }

    /// This answer if it has the status; an error that shows it otherwise.
    pub fn expect(self, status: u16) -> Result<Self> {
        if self.status != status {
            bail!("{}: expected {status}, got {}: {}", self.asked, self.status, self.text());
        }
        Ok(self)
    }

    /// The JSON body if the answer has the status.
    pub fn expect_json(self, status: u16) -> Result<Value> {
        self.expect(status)?.json()
    }
}

/// A client with one connection, opened when needed and kept.
#[derive(Clone, Debug)]
pub struct Http {
    address: Address,
    connection: Arc<Mutex<Option<SendRequest<Full<Bytes>>>>>,
}

impl Http {
    /// A client of the server at `address`.
    pub fn new(address: Address) -> Self {
        Self { address, connection: Arc::default() }
    }

    /// A client of the same server with a connection of its own.
    pub fn fresh(&self) -> Self {
        Self::new(self.address.clone())
    }

    /// Where the server listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a request and reads the whole answer. An error means that it is not known whether the
    /// server acted.
    pub async fn send(&self, request: Request) -> Result<Answer> {
        let asked = format!("{} {}", request.method, request.target);
        match tokio::time::timeout(PATIENCE, self.exchange(request)).await {
            Ok(result) => result.with_context(|| asked.clone()),
            Err(_) => bail!("{asked}: no answer within {PATIENCE:?}"),
        }
    }

    async fn exchange(&self, request: Request) -> Result<Answer> {
        let mut slot = self.connection.lock().await;
        let mut sender = match reusable(slot.take()).await {
            Some(kept) => kept,
            None => self.connect().await?,
        };
        let asked = format!("{} {}", request.method, request.target);
        let mut built = hyper::Request::builder()
            .method(request.method.as_str())
            .uri(&request.target)
            .header("Host", self.address.authority());
        for (name, value) in &request.headers {
            built = built.header(name, value);
        }
        let answer =
            sender.send_request(built.body(Full::new(request.body.unwrap_or_default()))?).await?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        *slot = Some(sender);
        Ok(Answer { asked, status: head.status.as_u16(), headers: head.headers, body })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let authority = self.address.authority();
        let stream = TcpStream::connect(&authority)
            .await
            .with_context(|| format!("cannot connect to {authority}"))?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = handshake(TokioIo::new(Answered(stream))).await?;
        // Ends when either side closes; what went wrong is told to the sender as well.
        tokio::spawn(connection);
        sender.ready().await?;
        Ok(sender)
    }
}

async fn reusable(kept: Option<SendRequest<Full<Bytes>>>) -> Option<SendRequest<Full<Bytes>>> {
    let mut sender = kept?;
    sender.ready().await.ok()?;
    Some(sender)
}
