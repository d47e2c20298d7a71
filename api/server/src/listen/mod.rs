//! Takes connections, one task each, and lets go of those that send nothing.
//!
//! `axum::serve` has no limit on how long a client may take to send the head of a request, so that
//! half a request would hold a connection, and a stop, for ever.

mod arriving;
mod descriptors;
mod leaving;
mod local;
mod silence;
mod tls;
mod trusted;

pub use descriptors::room_for_strangers;
pub use local::Local;
pub use tls::Tls;
pub use trusted::Trusted;

use crate::telemetry;
use arriving::Arriving;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use leaving::{Leaving, UnderWay};
use rollcall_door::callers::LocalAccount;
use rollcall_door::strangers::{Connections, Place, Source};
use silence::silent;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt as _;
use tracing::Instrument as _;

/// How long to wait when no connection can be taken, such as without file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// The same once somebody was let go to make room.
const SHORT_PAUSE: Duration = Duration::from_millis(5);

/// How long clients may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the first head of a request, and between two requests, of somebody who has not shown a
    /// live credential.
    pub stranger: Duration,
    /// For the head of a request, and between two requests, of everybody else.
    pub head: Duration,
    /// For whatever is missing of a request once the server is to stop.
    pub stop: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            stranger: Duration::from_secs(10),
            head: Duration::from_secs(60),
            stop: Duration::from_secs(5),
        }
    }
}

/// Where connections come in.
pub struct Entrances {
    /// From anywhere.
    pub listener: TcpListener,
    /// From this machine; none where there can be no socket.
    pub local: Option<Local>,
    /// What those from anywhere are encrypted by; not at all, if none.
    pub tls: Option<Tls>,
}

/// Serves until `stopping` says so, then finishes what was accepted: requests that have come in
/// whole are served to their end, others are given up when the patience for them is over.
pub async fn serve(
    entrances: Entrances,
    router: Router,
    patience: Patience,
    connections: Connections,
    trusted: Trusted,
    mut stopping: watch::Receiver<bool>,
) {
    let Entrances { listener, local, tls } = entrances;
    let graceful = GracefulShutdown::new();
    let (end, overdue) = watch::channel(false);
    let serving = Serving { router, patience, connections, trusted, tls, overdue, account: None };
    let connections = serving.connections.clone();
    let local = local.map(|local| tokio::spawn(local.serve(serving.clone(), stopping.clone())));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((socket, peer)) => {
                drop(tokio::spawn(serving.clone().connection(socket, peer, graceful.watcher())));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                let pause = if connections.let_one_go() { SHORT_PAUSE } else { PAUSE };
                tokio::time::sleep(pause).await;
            }
        }
    }
    drop(listener);
    let mut finished = std::pin::pin!(graceful.shutdown());
    if tokio::time::timeout(patience.stop, &mut finished).await.is_err() {
        let _ = end.send(true);
        finished.await;
    }
    if let Some(local) = local {
        let _ = local.await;
    }
}

/// What one connection is served with.
#[derive(Clone)]
struct Serving {
    router: Router,
    patience: Patience,
    connections: Connections,
    trusted: Trusted,
    tls: Option<Tls>,
    /// True once the server waits for no request any more that has not come in whole.
    overdue: watch::Receiver<bool>,
    /// Whose it is, if this machine says so.
    account: Option<LocalAccount>,
}

impl Serving {
    /// The connection of an account of this machine.
    fn of(self, account: LocalAccount) -> Self {
        Self { account: Some(account), ..self }
    }

    async fn connection(self, socket: TcpStream, peer: SocketAddr, watcher: Watcher) {
        let place = self.connections.enter(Source::from(peer.ip()));
        // A small answer must not wait for more to send.
        let _ = socket.set_nodelay(true);
        let Some(tls) = self.tls.clone() else {
            return self.requests(socket, peer, place, watcher).await;
        };
        tokio::select! {
            shaken = tokio::time::timeout(self.patience.stranger, tls.accept(socket)) => match shaken {
                Ok(Ok(socket)) => self.requests(socket, peer, place, watcher).await,
                Ok(Err(error)) => tracing::debug!(%error, "a connection without TLS"),
                Err(_) => tracing::debug!("a handshake was not finished"),
            },
            () = place.told_to_go() => tracing::debug!("a connection made room for others"),
        }
    }

    /// The requests that come on a connection.
    async fn requests<S>(self, socket: S, peer: SocketAddr, place: Place, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { router, patience, trusted, overdue, account, .. } = self;
        let head = patience.head;
        if account.is_none() && trusted.is_one(peer.ip()) {
            // It carries everybody, and is let go when it asks for nothing.
            place.known();
        }
        let under_way = UnderWay::default();
        let (requests, late) = (under_way.clone(), overdue.clone());
        let visited = place.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let from = trusted.source(peer.ip(), request.headers());
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(from, peer.port())));
            request.extensions_mut().insert(visited.clone());
            if let Some(account) = &account {
                request.extensions_mut().insert(account.clone());
            }
            let request = request.map(|body| Body::new(Arriving::new(body, late.clone())));
            let span = telemetry::request(request.headers(), trusted.is_one(peer.ip()));
            let (answer, one) = (router.clone().oneshot(request), requests.one(&visited));
            async move {
                let answer = answer.instrument(span.clone()).await?;
                telemetry::serving(&span, answer.status().as_u16());
                Ok::<_, Infallible>(answer.map(|body| Leaving::new(body, one)))
            }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(head);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(head).keep_alive_timeout(head);
        let served =
            watcher.watch(builder.serve_connection(TokioIo::new(socket), service).into_owned());
        tokio::select! {
            served = served => {
                if let Err(error) = served {
                    if let Some(reason) = refusal(&*error) {
                        metrics::counter!("rollcall_unreadable_requests_total", "reason" => reason).increment(1);
                    }
                    tracing::debug!(error, "a connection ended early");
                }
            }
            () = place.told_to_go() => tracing::debug!("a connection made room for others"),
            () = silent(&place, patience.stranger, patience.head) => {
                metrics::counter!("rollcall_connections_let_go_total", "reason" => "silent").increment(1);
                tracing::debug!("a connection asked for nothing");
            }
            () = under_way.none_but_overdue(overdue) => tracing::debug!("a connection with half a request was given up"),
        }
    }
}

/// Why the head of a request could not be read; none if the connection ended for another reason.
/// Such a request is answered 400, 414 or 431 before anything of ours sees it, and leaves no
/// exchange.
fn refusal(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let error = error.downcast_ref::<hyper::Error>()?;
    if error.is_parse_too_large() {
        Some("too-large")
    } else if error.is_parse() {
        Some("malformed")
    } else if error.is_timeout() {
        Some("timeout")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
