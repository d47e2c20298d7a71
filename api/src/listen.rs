//! Takes connections, one task each, and lets go of those that send nothing.
//!
//! `axum::serve` has no limit on how long a client may take to send the head of a request, so that
//! half a request would hold a connection, and a stop, for ever.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt as _;

/// How long the head of a request may take, and how long a connection may idle.
const HEAD: Duration = Duration::from_secs(60);
/// How long to wait when no connection can be taken, such as without file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stopping` says so, then finishes what was accepted.
pub async fn serve(listener: TcpListener, router: Router, mut stopping: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((socket, peer)) => drop(tokio::spawn(connection(socket, peer, router.clone(), graceful.watcher()))),
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn connection(socket: TcpStream, peer: SocketAddr, router: Router, watcher: Watcher) {
    // A small answer must not wait for more to send.
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD).keep_alive_timeout(HEAD);
    let served = watcher.watch(builder.serve_connection(TokioIo::new(socket), service).into_owned());
    if let Err(error) = served.await {
        tracing::debug!(error, "a connection ended early");
    }
}
