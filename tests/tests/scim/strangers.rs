//! Callers without a token: they are answered, and take nothing from those who have one.

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use rollcall_tests::http::Request;
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::Scim;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, on_sqlite};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const STRANGERS: usize = 64;

/// Sends half a request and waits for an answer.
async fn half_a_request(authority: String) -> Result<TcpStream> {
    let mut socket = TcpStream::connect(authority).await?;
    socket
        .write_all(b"POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        .await?;
    socket.read_u8().await?;
    Ok(socket)
}

#[tokio::test]
async fn many_who_send_half_a_request_leave_room_for_the_others() -> Result<()> {
    // Two bodies of strangers may be waited for at a time.
    let server =
        Server::start_with(Store::Sqlite, &std::env::temp_dir(), &["--max-in-flight", "16"])
            .await?;
    let w = World::around(server).await?;
    let authority = w.server.address().authority();
    let strangers: FuturesUnordered<_> =
        (0..STRANGERS).map(|_| half_a_request(authority.clone())).collect();
    // Before, sixteen of them kept all others out for as long as they liked.
    let mut answered = strangers.take(STRANGERS - 2);
    let mut sockets = Vec::new();
    while let Some(socket) = answered.next().await {
        sockets.push(socket?);
    }
    w.scim.get("/Users?count=0").await?.expect(200)?;
    refused(Scim::anonymous(w.server.address()).get("/Users").await?, 401, None)?;
    Ok(())
}

/// At every door: what one source has too much of under way is turned away, and is no exchange that
/// could not be kept, for that pages the operator.
#[tokio::test]
async fn whoever_is_turned_away_is_counted_apart() -> Result<()> {
    let flags = ["--max-in-flight", "16"];
    let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &flags).await?;
    let w = World::around(server).await?;
    let mut waiting = Vec::new();
    // Each waits for the body of a form: sixteen are as many as there may be.
    for _ in 0..17 {
        let mut socket = TcpStream::connect(w.server.address().authority()).await?;
        let head = "POST /scim/oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n";
        socket.write_all(head.as_bytes()).await?;
        waiting.push(socket);
    }
    // One of them is told so, and then everybody else without a credential.
    let (first, ..) = futures::future::select_all(waiting.iter_mut().map(|socket| {
        Box::pin(async {
            let mut answer = [0; 12];
            socket.read_exact(&mut answer).await.map(|_| answer)
        })
    }))
    .await;
    ensure!(&first? == b"HTTP/1.1 429");
    let stranger = Scim::anonymous(w.server.address());
    for path in ["/scim/v2/Users", "/saml/nobody/login", "/scim/oauth/token"] {
        let answer = stranger.http().send(Request::new("POST", path)).await?;
        ensure!(answer.status == 429, "{path}: {}", answer.status);
    }
    w.scim.get("/Users?count=0").await?.expect(200)?;
    for protocol in ["scim", "saml", "oauth"] {
        let metric = format!("rollcall_turned_away_total{{protocol=\"{protocol}\"}} ");
        ensure!(counted(&w, &metric).await? > 0, "{protocol}");
    }
    ensure!(counted(&w, "rollcall_unrecorded_exchanges_total ").await? == 0);
    Ok(())
}

async fn counted(w: &World, metric: &str) -> Result<u64> {
    let metrics = w.admin.get_anonymous("/metrics").await?.expect(200)?.text();
    Ok(metrics.lines().find_map(|line| line.strip_prefix(metric)).map_or(Ok(0), str::parse)?)
}

/// Keys that are guessed are counted, and after a while not even answered as wrong; whoever has a
/// key is served all the same.
#[tokio::test]
async fn wrong_keys_are_counted_and_slowed() -> Result<()> {
    let w =
        World::around(Server::start_with(Store::Sqlite, &std::env::temp_dir(), &[]).await?).await?;
    let http = w.scim.http().fresh();
    let ask = |key: &str| {
        Request::new("GET", "/api/v1/organizations")
            .header("Authorization", format!("Bearer {key}"))
    };
    let (mut asked, mut slowed) = (0, false);
    while !slowed && asked < 20_000 {
        asked += 1;
        let answer = http.send(ask(&format!("rollcall_op_{asked}"))).await?;
        ensure!(matches!(answer.status, 401 | 429), "{}", answer.status);
        slowed = answer.status == 429;
    }
    ensure!(slowed && asked >= 200, "{asked} wrong keys");
    ensure!(counted(&w, "rollcall_wrong_keys_total ").await? == asked);
    ensure!(w.server.log_tail(1_000).contains("guesses keys"), "the log says nothing");
    w.admin.get("/api/v1/organizations").await?.expect(200)?;
    let issued = w.server.cli(&["operator", "add", "--label", "Grace"]).await?;
    let key = issued["key"].as_str().context("key")?;
    http.send(ask(key)).await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn little_is_kept_of_a_stranger() {
    on_sqlite(async |w| {
        let request = Request::new("POST", "/scim/v2/Users")
            .header("X-Filler", "x".repeat(50_000))
            .body("y".repeat(10_000));
        refused(Scim::anonymous(w.server.address()).send(request).await?, 401, None)?;
        let last = w.admin.exchanges("none").await?.pop().context("no exchange")?;
        let id = last["id"].as_str().context("no id")?;
        let shown = w
            .admin
            .get(&format!("/api/v1/organizations/none/exchanges/{id}"))
            .await?
            .expect(200)?;
        ensure!(shown.text().len() < 10_000, "{} bytes were kept", shown.text().len());
        Ok(())
    })
    .await;
}

/// Whoever asks after an answer finds what was answered: the newest of the list is the last one.
#[tokio::test]
async fn a_stranger_is_shown_as_soon_as_they_are_answered() {
    on_sqlite(async |w| {
        for n in 0..40 {
            let target = format!("/scim/v2/Users/{n}");
            refused(
                Scim::anonymous(w.server.address()).send(Request::new("GET", &target)).await?,
                401,
                None,
            )?;
            let last = w.admin.exchanges("none").await?.pop().context("no exchange")?;
            ensure!(last["target"] == target.as_str(), "{n}: {last}");
        }
        Ok(())
    })
    .await;
}
