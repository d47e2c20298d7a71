//! A receiver of webhooks: keeps what it gets, and answers as it is told.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// Longer than any test may take: what has not come by then does not come.
const LONG: Duration = Duration::from_secs(60);

/// One letter, with what was answered.
#[derive(Clone, Debug)]
pub struct Letter {
    pub headers: Value,
    pub body: String,
    pub status: u16,
}

impl Letter {
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Position and part.
    pub fn place(&self) -> (u64, u64) {
        let event = self.event();
        let sequence = event["sequence"].as_str().and_then(|s| s.parse().ok());
        (sequence.unwrap_or(0), event["part"].as_u64().unwrap_or(0))
    }
}

#[derive(Default)]
struct State {
    got: Vec<Letter>,
    /// What is answered next; then 204.
    answers: VecDeque<(u16, Option<&'static str>)>,
    /// What it takes nothing about, such as `user/` and an id; `*` is anything.
    refuses: HashSet<String>,
}

/// Listens on the loopback until it is dropped.
#[derive(Clone)]
pub struct Receiver {
    state: Arc<Mutex<State>>,
    pub url: String,
    _listening: Arc<Listening>,
}

struct Listening(tokio::task::JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Receiver {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hooks", listener.local_addr()?);
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let listening = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let state = shared.clone();
                let service = service_fn(move |request| take(state.clone(), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
            }
        });
        Ok(Self { state, url, _listening: Arc::new(Listening(listening)) })
    }

    /// Answers so next, one after another, each with a header `name: value` if there is one.
    pub fn answer(&self, answers: &[(u16, Option<&'static str>)]) {
        self.lock().answers.extend(answers);
    }

    /// Takes nothing about these from now on; about others it does.
    pub fn refuse(&self, subjects: &[&str]) {
        self.lock().refuses = subjects.iter().map(|&subject| subject.to_owned()).collect();
    }

    pub fn got(&self) -> Vec<Letter> {
        self.lock().got.clone()
    }

    /// What it got and took, without pings.
    pub fn taken(&self) -> Vec<Letter> {
        let is_event = |l: &Letter| l.event()["type"] != "rollcall.ping" && l.status < 300;
        self.got().into_iter().filter(is_event).collect()
    }

    /// Waits until what it took is enough.
    pub async fn until(&self, enough: impl Fn(&[Letter]) -> bool) -> Result<Vec<Letter>> {
        let deadline = Instant::now() + LONG;
        loop {
            let taken = self.taken();
            if enough(&taken) {
                return Ok(taken);
            }
            let last: Vec<_> = taken.iter().rev().take(3).collect();
            anyhow::ensure!(Instant::now() < deadline, "{} letters, {last:?}", taken.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn take(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>> {
    let headers: serde_json::Map<String, Value> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), json!(String::from_utf8_lossy(value.as_bytes()))))
        .collect();
    let body = request.into_body().collect().await?.to_bytes();
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let body = String::from_utf8(body.to_vec()).context("text")?;
    let event: Value = serde_json::from_str(&body).unwrap_or_default();
    let subject = event["subject"].as_str().unwrap_or_default();
    let is_refused = state.refuses.contains(subject) || state.refuses.contains("*");
    let usual = if is_refused { 500 } else { 204 };
    let (status, header) = state.answers.pop_front().unwrap_or((usual, None));
    state.got.push(Letter { headers: Value::Object(headers), body, status });
    let mut response = Response::builder().status(status);
    if let Some((name, value)) = header.and_then(|h| h.split_once(": ")) {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(Bytes::from_static(b"{\"secret\":\"of the receiver\"}")))?)
}
