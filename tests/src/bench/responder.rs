//! A server that has an answer to everything and thinks about nothing: what the client alone can do
//! is measured against it.

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rollcall_entra::seed::Seed;
use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinHandle;

/// A responder on the loopback, until it is dropped.
#[derive(Debug)]
pub struct Responder {
    /// Its tenant URL.
    pub url: String,
    task: JoinHandle<()>,
}

impl Responder {
    /// Starts it on a free port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(
                    http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service_fn(answer)),
                );
            }
        });
        Ok(Self { url, task })
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Nobody is found, everybody is created.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    static CREATED: AtomicU64 = AtomicU64::new(0);
    let (method, filtered) =
        (request.method().clone(), request.uri().query().is_some_and(|q| q.contains("filter=")));
    // The body is read, as any server must.
    let _ = request.into_body().collect().await;
    let (status, body) = match method {
        Method::GET if filtered => (200, r#"{"totalResults":0,"Resources":[]}"#.to_owned()),
        Method::GET => (200, r#"{"active":true}"#.to_owned()),
        Method::POST => (
            201,
            format!(
                r#"{{"id":"{}"}}"#,
                Seed::new(1).uuid("id", CREATED.fetch_add(1, Ordering::Relaxed))
            ),
        ),
        _ => (204, String::new()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    Ok(response)
}
