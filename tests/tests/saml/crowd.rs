//! A hostile crowd at every door, while one tenant's sync and its people go on.

use crate::story::{FLAGS, Story, tell};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::scim::Scim;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// Who is in the crowd: in full, or a tenth of it.
struct Size {
    idle: usize,
    halves: usize,
    floods: usize,
    requests: usize,
}

fn size() -> Size {
    match std::env::var_os("ROLLCALL_SOAK") {
        Some(_) => Size { idle: 2_000, halves: 1_000, floods: 4, requests: 1_500 },
        None => Size { idle: 200, halves: 100, floods: 1, requests: 250 },
    }
}

/// Connects from an address that is not the tenant's.
async fn connect(to: SocketAddr, from: &str) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from.parse()?, 0))?;
    Ok(socket.connect(to).await?)
}

/// Sends the same request again and again, on as many connections as it takes.
fn flood(
    to: SocketAddr,
    from: &'static str,
    request: String,
    over: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        while !over.load(Ordering::Relaxed) {
            let Ok(mut socket) = connect(to, from).await else { continue };
            let mut answer = vec![0; 64 * 1024];
            while !over.load(Ordering::Relaxed)
                && socket.write_all(request.as_bytes()).await.is_ok()
                && matches!(socket.read(&mut answer).await, Ok(1..))
            {
                sent.fetch_add(1, Ordering::Relaxed);
            }
        }
    })
}

fn floods(
    to: SocketAddr,
    times: usize,
    over: &Arc<AtomicBool>,
    sent: &Arc<AtomicU64>,
) -> Vec<JoinHandle<()>> {
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
    let long = "x".repeat(60_000);
    let form = "SAMLResponse=PHNhbWxwOlJlc3BvbnNlLz4%3D";
    let requests = [
        "GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n\r\n".to_owned(),
        "GET /api/v1/organizations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n\r\n"
            .to_owned(),
        get(&format!("/saml/acme/login?RelayState=a&x={long}")),
        get("/saml/acme/metadata"),
        format!(
            "POST /saml/acme/acs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ),
    ];
    let all = requests.into_iter().cycle().take(5 * times).enumerate();
    let begin = |(n, request): (usize, String)| {
        let from = ["127.0.0.2", "127.0.0.3", "127.0.0.4"][n % 3];
        flood(to, from, request, over.clone(), sent.clone())
    };
    all.map(begin).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_every_door_takes_nothing_from_those_who_are_known() {
    tell(async |s| {
        let size = size();
        let to: SocketAddr = s.world.server.address().authority().parse()?;
        let mut crowd = Vec::new();
        for n in 0..size.idle + size.halves {
            let mut socket = connect(to, "127.0.0.2").await?;
            if n >= size.idle {
                // A whole head, and one byte of a body that never comes.
                let head = "POST /saml/acme/acs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9000\r\n\r\nS";
                let _ = socket.write_all(head.as_bytes()).await;
            }
            crowd.push(socket);
        }
        let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let floods = floods(to, size.floods, &over, &sent);
        let before = s.world.admin.all_exchanges("acme").await?.len();
        let (mut logins, began) = (0, Instant::now());
        for n in 0..size.requests {
            // 25 a second, as Entra's gallery asks; slower if the machine is.
            let due = began + Duration::from_millis(40) * u32::try_from(n)?;
            tokio::time::sleep_until(due.into()).await;
            match n % 5 {
                0 => drop(s.world.scim.create_user(&format!("u{n}@contoso.example")).await?),
                _ => drop(s.world.scim.get("/Users?count=1").await?.expect(200)?),
            }
            if n % 100 == 50 {
                s.signed_in().await?;
                logins += 1;
            }
        }
        over.store(true, Ordering::Relaxed);
        for flood in floods {
            flood.await?;
        }
        drop(crowd);
        ensure!(sent.load(Ordering::Relaxed) > 1_000, "{sent:?}: that was no crowd");
        is_bounded(s, before + size.requests + logins).await
    })
    .await;
}

/// What strangers sent is in no log, and of it no more than the ring holds.
async fn is_bounded(s: &Story, expected: usize) -> Result<()> {
    let kept = s.world.admin.all_exchanges("acme").await?;
    ensure!(kept.len() == expected, "{} exchanges in the log, not {expected}", kept.len());
    let side = rusqlite::Connection::open_with_flags(
        s.world.server.data().join("side.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )?;
    let most: (u64, u64) =
        side.query_row("SELECT count(*), max(length(document)) FROM strangers", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    ensure!(most.0 > 0 && most.0 <= 2_000 && most.1 < 20_000, "{most:?}");
    let listed = [
        "exchanges",
        "list",
        "--org",
        "acme",
        "--strangers",
        "--operation",
        "saml.login",
        "--limit",
        "1",
    ];
    let found = s.world.server.cli(&listed).await?;
    let target = found[0]["target"].as_str().context("no target")?;
    ensure!(target.len() < 3_000, "{} bytes of a target", target.len());
    let id = found[0]["id"].as_str().context("no id")?;
    s.world.server.cli(&["exchanges", "show", "--org", "acme", id]).await?;
    s.world.server.cli(&["views", "verify"]).await?;
    Ok(())
}

/// Two hundred and fifty who say nothing, at a server that may have 256 files open.
#[tokio::test]
async fn who_says_nothing_takes_no_descriptor_that_others_need() -> Result<()> {
    let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &FLAGS).await?;
    let w = World::around(server).await?;
    let pid = w.server.pid().context("no server")?.to_string();
    let limited = Command::new("prlimit").args(["--pid", &pid, "--nofile=256:256"]).status()?;
    ensure!(limited.success(), "the limit was not set");
    let to: SocketAddr = w.server.address().authority().parse()?;
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(connect(to, "127.0.0.2").await?);
    }
    let fresh = Scim::anonymous(w.server.address()).with_token(w.scim.token().context("token")?);
    fresh.get("/Users?count=0").await?.expect(200)?;
    Ok(())
}
