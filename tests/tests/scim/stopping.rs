//! A stop: whole requests are served, half requests are waited for a little while.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::scim::user;
use rollcall_tests::world::on_sqlite;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Half a request is given up after 5 s; a whole one may take 30.
const SOON: Duration = Duration::from_secs(15);

async fn send(authority: &str, text: &str) -> Result<TcpStream> {
    let mut socket = TcpStream::connect(authority).await?;
    socket.write_all(text.as_bytes()).await?;
    Ok(socket)
}

/// Everything that comes until the server closes the connection.
async fn rest(mut socket: TcpStream) -> String {
    let mut text = Vec::new();
    // What came before a connection was reset counts as well.
    let _ = socket.read_to_end(&mut text).await;
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn half_a_request_does_not_hold_up_a_stop() {
    on_sqlite(async |w| {
        let authority = w.server.address().authority();
        let token = w.scim.token().context("token")?;
        let head = format!("POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 100\r\n");
        let half_head = send(&authority, &head).await?;
        let half_body = send(&authority, &format!("{head}\r\n{{")).await?;
        // Hundreds of operations, so that the stop comes while they are carried out.
        let create =
            |n| json!({"method": "POST", "path": "/Users", "bulkId": format!("b{n}"), "data": user(&format!("u{n}@contoso.example"))});
        let operations: Vec<_> = (0..500).map(create).collect();
        let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
        let scim = w.scim.fresh();
        let whole = tokio::spawn(async move { scim.post("/Bulk", &bulk).await });
        // Until the server has read what was sent.
        tokio::time::sleep(Duration::from_millis(300)).await;

        let begun = Instant::now();
        ensure!(w.server.terminate().await?.success(), "the server did not end well");
        let took = begun.elapsed();
        ensure!(took < SOON, "a stop took {took:?}");
        let (half_head, half_body) = tokio::join!(rest(half_head), rest(half_body));
        ensure!(half_head.is_empty(), "{half_head}");
        ensure!(half_body.starts_with("HTTP/1.1 503") && half_body.contains("retry-after"), "{half_body}");
        let answers = whole.await??.expect_json(200)?;
        ensure!(answers["Operations"].as_array().is_some_and(|all| all.iter().all(|o| o["status"] == "201")), "{answers}");

        w.server.restart().await?;
        ensure!(w.scim.get("/Users?count=0").await?.expect_json(200)?["totalResults"] == 500, "something else was carried out");
        let exchanges = w.admin.exchanges(&w.acme.id).await?;
        let cut_off = exchanges.iter().filter(|x| x["status"] == 503).count();
        ensure!(cut_off == 1, "{cut_off} exchanges were answered 503");
        Ok(())
    })
    .await;
}
