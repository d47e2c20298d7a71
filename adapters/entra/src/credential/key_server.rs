//! Where a tenant's keys are, and what can be wrong with such a place.

use super::signer::Signer;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What is wrong with the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// It takes the request and never answers.
    Hangs,
    /// It answers 503.
    Down,
    /// It sends elsewhere.
    Redirects,
    /// It answers more than anybody should read.
    Huge,
    /// It has ten thousand keys.
    ManyKeys,
    /// It answers something else.
    Nonsense,
}

struct Shared {
    signer: Mutex<Option<Arc<Signer>>>,
    trouble: Mutex<Trouble>,
    asked: AtomicU64,
}

/// A server of keys on this machine; it ends when this is dropped.
pub struct KeyServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl KeyServer {
    /// Listens on a free port.
    ///
    /// # Errors
    /// If none can be had.
    pub async fn start() -> std::io::Result<Self> {
        Self::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Listens where it is told to.
    ///
    /// # Errors
    /// If the address is taken.
    pub async fn listen(at: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(at).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            signer: Mutex::new(None),
            trouble: Mutex::new(Trouble::None),
            asked: AtomicU64::new(0),
        });
        let task = tokio::spawn(serve(listener, shared.clone()));
        Ok(Self { address, shared, task })
    }

    /// What tenants name as their authority.
    pub fn authority(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Publishes the keys of a tenant.
    pub fn publish(&self, signer: Arc<Signer>) {
        *self.shared.signer.lock().unwrap_or_else(PoisonError::into_inner) = Some(signer);
    }

    /// Has this trouble from now on.
    pub fn trouble(&self, trouble: Trouble) {
        *self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// How often it was asked.
    pub fn asked(&self) -> u64 {
        self.shared.asked.load(Ordering::SeqCst)
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |_| {
                let shared = shared.clone();
                async move { Ok::<_, Infallible>(answer(&shared).await) }
            });
            // Who goes away is no news.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(shared: &Shared) -> Response<Full<Bytes>> {
    shared.asked.fetch_add(1, Ordering::SeqCst);
    let trouble = *shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
    let keys = || {
        let signer = shared.signer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        signer.map_or_else(|| json!({ "keys": [] }), |signer| signer.keys())
    };
    let (status, body) = match trouble {
        Trouble::None => (StatusCode::OK, keys().to_string()),
        Trouble::Hangs => std::future::pending().await,
        Trouble::Down => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
        Trouble::Redirects => (StatusCode::FOUND, String::new()),
        Trouble::Huge => (StatusCode::OK, " ".repeat(32 * 1024 * 1024)),
        Trouble::ManyKeys => {
            let one = keys()["keys"][0].clone();
            (StatusCode::OK, json!({ "keys": vec![one; 10_000] }).to_string())
        }
        Trouble::Nonsense => (StatusCode::OK, "<html>".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if status == StatusCode::FOUND {
        headers.insert(LOCATION, HeaderValue::from_static("http://169.254.169.254/keys"));
    }
    response
}
