//! A server on a socket of its own, and clients that take their time.

use super::*;
use axum::body::to_bytes;
use axum::http::StatusCode;
use axum::routing::{get, post};
use rollcall_door::stopping::is_cut_off;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

/// How long an answer takes: longer than half a request is waited for.
const WORK: Duration = Duration::from_secs(2);
const SOON: Duration = Duration::from_millis(300);
/// For what must not be told apart from a slow machine.
const LONG: Duration = Duration::from_secs(60);

struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

async fn start(patience: Patience) -> Server {
    let slow = || async {
        tokio::time::sleep(WORK).await;
        "done"
    };
    let length = |body: Body| async {
        match to_bytes(body, usize::MAX).await {
            Ok(bytes) => (StatusCode::OK, bytes.len().to_string()),
            Err(error) if is_cut_off(&error) => {
                (StatusCode::SERVICE_UNAVAILABLE, "cut off".to_owned())
            }
            Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
        }
    };
    let router = Router::new().route("/slow", get(slow)).route("/length", post(length));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = watch::channel(false);
    Server {
        address,
        stop,
        task: tokio::spawn(serve(
            Entrances { listener, local: None, tls: None },
            router,
            patience,
            Connections::new(64),
            Trusted::default(),
            stopping,
        )),
    }
}

impl Server {
    async fn send(&self, text: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(text.as_bytes()).await.unwrap();
        socket
    }

    /// Stops it; gives how long that took.
    async fn ended(self) -> Duration {
        let begun = Instant::now();
        self.stop.send(true).unwrap();
        tokio::time::timeout(LONG, self.task).await.expect("the server does not stop").unwrap();
        begun.elapsed()
    }
}

/// Everything that comes until the server closes the connection.
async fn rest(mut socket: TcpStream) -> String {
    let mut text = Vec::new();
    // A connection that is reset is closed as well.
    let _ = tokio::time::timeout(LONG, socket.read_to_end(&mut text))
        .await
        .expect("the connection stays open");
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn half_a_head_is_given_up() {
    let server = start(Patience { stranger: SOON, head: SOON, stop: LONG }).await;
    let begun = Instant::now();
    // Also on a connection that has served a request before.
    let kept = server.send("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabGET /slow HTTP/1.1\r\nHo").await;
    let (fresh, kept) =
        tokio::join!(rest(server.send("GET /slow HTTP/1.1\r\nHost: x\r\n").await), rest(kept));
    assert_eq!(fresh, "");
    assert!(kept.starts_with("HTTP/1.1 200") && kept.ends_with("\r\n2"), "{kept}");
    assert!(begun.elapsed() >= SOON, "{:?}", begun.elapsed());
}

/// Nor is silence waited for, or what may yet become a request of one kind or another.
#[tokio::test]
async fn who_sends_nothing_is_given_up() {
    let server = start(Patience { stranger: SOON, head: LONG, stop: LONG }).await;
    for nearly_nothing in ["", "P", "PRI * HTTP/2.0\r\n"] {
        let begun = Instant::now();
        rest(server.send(nearly_nothing).await).await;
        assert!(begun.elapsed() >= SOON && begun.elapsed() < LONG / 2, "{nearly_nothing:?}");
    }
}

#[tokio::test]
async fn the_patience_for_a_head_is_not_that_for_a_body_or_an_answer() {
    let server = start(Patience { stranger: SOON, head: SOON, stop: LONG }).await;
    let slow = server.send("GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let mut body = server
        .send(
            "POST /length HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab",
        )
        .await;
    tokio::time::sleep(SOON * 2).await;
    body.write_all(b"cd").await.unwrap();
    let (slow, body) = tokio::join!(rest(slow), rest(body));
    assert!(slow.starts_with("HTTP/1.1 200") && slow.ends_with("done"), "{slow}");
    assert!(body.starts_with("HTTP/1.1 200") && body.ends_with("\r\n4"), "{body}");
}

#[tokio::test]
async fn a_stop_serves_whole_requests_and_waits_a_while_for_halves() {
    let server = start(Patience { stranger: LONG, head: LONG, stop: SOON }).await;
    let idle = server.send("").await;
    let half_head = server.send("GET /slow HTTP/1.1\r\nHost: x\r\n").await;
    let half_body =
        server.send("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab").await;
    let mut in_time =
        server.send("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab").await;
    let whole = server.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    // Until the server has read what was sent.
    tokio::time::sleep(SOON).await;
    let ended = tokio::spawn(server.ended());
    in_time.write_all(b"cd").await.unwrap();
    let (idle, half_head) = tokio::join!(rest(idle), rest(half_head));
    assert_eq!((idle.as_str(), half_head.as_str()), ("", ""));
    let (half_body, in_time, whole) = tokio::join!(rest(half_body), rest(in_time), rest(whole));
    assert!(half_body.starts_with("HTTP/1.1 503") && half_body.ends_with("cut off"), "{half_body}");
    assert!(in_time.starts_with("HTTP/1.1 200") && in_time.ends_with("\r\n4"), "{in_time}");
    assert!(whole.starts_with("HTTP/1.1 200") && whole.ends_with("done"), "{whole}");
    let took = ended.await.unwrap();
    assert!(took < LONG / 2, "a stop took {took:?}");
}
