//! What a consumer, and who adds one, is refused.

use super::client::{Consumer, number};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Request;
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};

#[tokio::test]
async fn what_cannot_be_is_refused_with_what_could() {
    on_sqlite(async |w| {
        let consumer = Consumer::add(&w.server, "mirror", &[]).await?;
        let head = number(&consumer.ask(&consumer.feed).await?.expect_json(200)?, "head");
        let feed = [
            (format!("after={}", head + 1), 409, "snapshot"),
            ("after=9223372036854775807".into(), 409, "snapshot"),
            ("after=18446744073709551615".into(), 400, "9223372036854775807"),
            ("after=-1".into(), 400, ""),
            ("after=x".into(), 400, ""),
            ("limit=0".into(), 400, "1 to 1000"),
            ("limit=1001".into(), 400, "1 to 1000"),
            ("wait=31".into(), 400, "0 to 30"),
            ("types=user.*".into(), 400, "after, limit, wait"),
            ("from=2026-01-01".into(), 400, "after"),
        ];
        for (query, status, says) in feed {
            let answer = consumer.ask(&format!("{}?{query}", consumer.feed)).await?;
            let said = answer.expect_json(status).with_context(|| query.clone())?;
            let detail = said["detail"].as_str().unwrap_or_default().replace('`', "");
            ensure!(detail.contains(says), "{query}: {said}");
        }
        let snapshot = [
            ("after=", 400),
            ("after=users", 400),
            ("after=1.users.x", 400),
            ("after=999999.users.0", 409),
            ("limit=0", 400),
            ("at=1", 400),
        ];
        for (query, status) in snapshot {
            let target = format!("{}?{query}", consumer.snapshot);
            consumer.ask(&target).await?.expect(status).with_context(|| query.to_owned())?;
        }
        Ok(())
    })
    .await;
}

async fn add(w: &World, body: &Value) -> Result<rollcall_tests::http::Answer> {
    let request = Request::new("POST", "/api/v1/organizations/acme/consumers")
        .header("Authorization", format!("Bearer {}", w.server.operator_key()?))
        .json("application/json", body);
    w.scim.http().fresh().send(request).await
}

#[tokio::test]
async fn a_consumer_that_cannot_be_is_not_made() {
    on_sqlite(async |w| {
        let good = json!({ "name": "mirror", "kind": "pull" });
        let with = |name: &str, value: Value| {
            let mut body = good.clone();
            body[name] = value;
            body
        };
        let long = "x".repeat(101);
        let mut bad = vec![
            (with("types", json!(["user.painted"])), "group.member_added"),
            (with("types", json!(["*"])), "user.created"),
            (with("types", json!("user.*")), ""),
            (with("payload", json!("half")), "notice"),
            (with("kind", json!("pigeon")), "pull"),
            (with("filter", json!({})), "types"),
        ];
        for name in
            ["", " ", "a b", "a/b", "ä", "..", &long, "0a1b2c3d-0000-4000-8000-000000000000"]
        {
            bad.push((with("name", json!(name)), "letters"));
        }
        for (body, says) in bad {
            let said = add(w, &body).await?.text();
            ensure!(said.contains("\"status\":400") && said.contains(says), "{body}: {said}");
        }
        add(w, &good).await?.expect(201)?;
        add(w, &with("name", json!("MIRROR"))).await?.expect(409)?;
        let list = w.server.cli(&["consumer", "list", "--org", "acme"]).await?;
        ensure!(list.as_array().map(Vec::len) == Some(1), "{list}");
        Ok(())
    })
    .await;
}
