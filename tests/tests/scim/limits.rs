//! Limits: a request that asks for too much is refused with a clear error, and the server stays up.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Answer;
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{CONTENT_TYPE, filter};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

async fn still_serves(w: &World) -> Result<()> {
    w.scim.fresh().get("/Users?count=0").await?.expect(200)?;
    Ok(())
}

/// Refused with 400 or 413, whichever word: what matters is that the detail says which limit.
fn refused_for(answer: Answer, word: &str) -> Result<()> {
    let status = answer.status;
    ensure!(status == 400 || status == 413, "{}: {status}: {}", answer.asked, answer.text());
    let scim_type = answer.json()?.get("scimType").and_then(|v| v.as_str()).map(str::to_owned);
    let detail = refused(answer, status, scim_type.as_deref())?;
    ensure!(detail.contains(word), "{detail:?} does not say {word:?}");
    Ok(())
}

#[tokio::test]
async fn a_body_over_the_limit() {
    on_sqlite(async |w| {
        let config = w.scim.get("/ServiceProviderConfig").await?.expect_json(200)?;
        let limit = config["bulk"]["maxPayloadSize"].as_u64().context("maxPayloadSize")?;
        let body = format!(
            "{{\"userName\":\"a\",\"displayName\":\"{}\"}}",
            "x".repeat(usize::try_from(limit)?)
        );
        let answer = w
            .scim
            .fresh()
            .send(w.scim.request("POST", "/Users").header("Content-Type", CONTENT_TYPE).body(body))
            .await?;
        refused(answer, 413, None)?;
        still_serves(w).await
    })
    .await;
}

#[tokio::test]
async fn a_body_nested_too_deeply() {
    on_sqlite(async |w| {
        for depth in [40, 50_000] {
            let body = format!(
                "{{\"userName\":\"a\",\"name\":{}1{}}}",
                "[".repeat(depth),
                "]".repeat(depth)
            );
            let answer = w
                .scim
                .send(
                    w.scim
                        .request("POST", "/Users")
                        .header("Content-Type", CONTENT_TYPE)
                        .body(body),
                )
                .await?;
            refused_for(answer, "nest")?;
        }
        still_serves(w).await
    })
    .await;
}

#[tokio::test]
async fn a_filter_too_long_too_deep_or_with_too_many_terms() {
    on_sqlite(async |w| {
        let long = format!("userName eq \"{}\"", "x".repeat(8200));
        refused(w.scim.get(&format!("/Users?{}", filter(&long))).await?, 400, Some("invalidFilter"))?;
        let deep = format!("{}userName pr{}", "(".repeat(100), ")".repeat(100));
        refused(w.scim.get(&format!("/Users?{}", filter(&deep))).await?, 400, Some("invalidFilter"))?;
        let wide = vec!["title pr"; 400].join(" or ");
        refused(w.scim.get(&format!("/Users?{}", filter(&wide))).await?, 400, Some("invalidFilter"))?;
        let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": deep});
        refused(w.scim.post("/Users/.search", &search).await?, 400, Some("invalidFilter"))?;
        still_serves(w).await
    })
    .await;
}

#[tokio::test]
async fn too_many_members_or_operations() {
    on_sqlite(async |w| {
        let id = w.scim.create_group("Everybody").await?;
        let path = format!("/Groups/{id}");
        let members: Vec<_> = (0..100_001)
            .map(|n| json!({"value": format!("00000000-aaaa-4bbb-8ccc-{n:012}")}))
            .collect();
        refused_for(
            w.scim
                .operations(&path, json!([{"op": "add", "path": "members", "value": members}]))
                .await?,
            "members",
        )?;
        let operations: Vec<_> = (0..10_001)
            .map(|n| json!({"op": "replace", "path": "externalId", "value": n.to_string()}))
            .collect();
        refused_for(w.scim.operations(&path, json!(operations)).await?, "operations")?;
        ensure!(w.scim.members(&id).await?.is_empty(), "a refused request added members");
        still_serves(w).await
    })
    .await;
}

/// Says that a body of 16 MiB comes, and sends none of it.
async fn announced(w: &World) -> Result<TcpStream> {
    let mut socket = TcpStream::connect(w.server.address().authority()).await?;
    let token = w.scim.token().context("token")?;
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
        16 << 20
    );
    socket.write_all(head.as_bytes()).await?;
    Ok(socket)
}

#[tokio::test]
async fn large_bodies_wait_for_room_and_small_ones_do_not() {
    on_sqlite(async |w| {
        let user =
            |name: &str, bytes: usize| json!({"userName": name, "urn:x:y:2.0:User": {"pieces": vec!["x".repeat(1_000); bytes / 1_000]}});
        // Seven leave room for one more, eight for none: 128 MiB are taken.
        let mut waiting = Vec::new();
        for _ in 0..7 {
            waiting.push(announced(w).await?);
        }
        w.scim.post("/Users", &user("ada@contoso.example", 1_000_000)).await?.expect(201)?;
        waiting.push(announced(w).await?);
        // Until the server has read what was sent.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let begun = Instant::now();
        let refusal = w.scim.post("/Users", &user("bob@contoso.example", 1_000_000)).await?;
        ensure!(begun.elapsed() > Duration::from_secs(3), "it did not wait: {refusal:?}");
        ensure!(refusal.header("retry-after").is_some(), "{refusal:?}");
        let detail = refused(refusal, 503, None)?;
        ensure!(detail.contains("large requests"), "{detail}");
        w.scim.post("/Users", &user("bob@contoso.example", 1_000)).await?.expect(201)?;
        // Who goes away makes room.
        drop(waiting);
        w.scim.post("/Users", &user("cem@contoso.example", 1_000_000)).await?.expect(201)?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_storm_of_one_token_is_told_to_come_back() -> Result<()> {
    let flags = ["--rate-limit", "1", "--rate-burst", "5"];
    let w = World::around(Server::start_with(Store::Sqlite, &std::env::temp_dir(), &flags).await?)
        .await?;
    let (_, theirs) = w.another("Globex", "globex").await?;
    let mut refusals = 0;
    for _ in 0..20 {
        let answer = w.scim.get("/Users?count=0").await?;
        if answer.status == 429 {
            ensure!(
                answer.header("retry-after").is_some_and(|s| s.parse::<u64>().is_ok_and(|s| s > 0)),
                "no Retry-After"
            );
            refused(answer, 429, None)?;
            refusals += 1;
        } else {
            answer.expect(200)?;
        }
    }
    ensure!((5..=15).contains(&refusals), "{refusals} of 20 requests were refused");
    theirs.get("/Users?count=0").await?.expect(200)?;
    Ok(())
}
