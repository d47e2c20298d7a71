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

/// At every door: what is turned away is no exchange that could not be kept, for that pages the
/// operator.
#[tokio::test]
async fn whoever_is_turned_away_is_counted_apart() {
    on_sqlite(async |w| {
        let stranger = Scim::anonymous(w.server.address());
        let doors = [
            ("scim", "/scim/v2/Users"),
            ("saml", "/saml/nobody/login"),
            ("audit", "/api/v1/organizations/acme/events"),
        ];
        for (protocol, path) in doors {
            let (mut asked, mut turned_away) = (0, 0);
            // Two thousand are kept before it is fifty a second, of all doors together.
            while turned_away == 0 && asked < 20_000 {
                let burst: FuturesUnordered<_> =
                    (0..50).map(|_| stranger.send(Request::new("GET", path))).collect();
                let answers: Vec<_> = burst.collect().await;
                for answer in answers {
                    asked += 1;
                    ensure!(matches!(answer?.status, 401 | 403 | 404 | 429), "{path}");
                }
                turned_away =
                    counted(w, &format!("rollcall_turned_away_total{{protocol=\"{protocol}\"}} "))
                        .await?;
            }
            ensure!(turned_away > 0, "{protocol}: none of {asked} was turned away");
            ensure!(counted(w, "rollcall_unrecorded_exchanges_total ").await? == 0, "{protocol}");
        }
        Ok(())
    })
    .await;
}

async fn counted(w: &World, metric: &str) -> Result<u64> {
    let metrics = w.admin.get_anonymous("/metrics").await?.expect(200)?.text();
    Ok(metrics.lines().find_map(|line| line.strip_prefix(metric)).map_or(Ok(0), str::parse)?)
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
