//! Whoever holds a body back, or waits for news, is not let go on after the key was revoked.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::on_both;
use rollcall_tests::world::World;
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A request of which all but the last byte was sent.
struct Held {
    stream: TcpStream,
    last: String,
}

impl Held {
    async fn begin(w: &World, line: &str, media_type: &str, key: &str, body: &str) -> Result<Self> {
        let (first, last) = body.split_at(body.len() - 1);
        let head = format!(
            "{line} HTTP/1.1\r\nHost: rollcall\r\nConnection: close\r\nAuthorization: Bearer {key}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n{first}",
            body.len()
        );
        let mut stream = TcpStream::connect(w.server.address().authority()).await?;
        stream.write_all(head.as_bytes()).await?;
        // The key is looked at meanwhile.
        tokio::time::sleep(Duration::from_millis(400)).await;
        Ok(Self { stream, last: last.to_owned() })
    }

    async fn end(mut self) -> Result<u16> {
        self.stream.write_all(self.last.as_bytes()).await?;
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await?;
        let status = answer.split(' ').nth(1).with_context(|| format!("an answer: {answer}"))?;
        Ok(status.parse()?)
    }
}

fn field(told: &Value, name: &str) -> Result<String> {
    Ok(told[name].as_str().with_context(|| format!("no {name} in {told}"))?.to_owned())
}

async fn position(w: &World) -> Result<usize> {
    let events = w.server.cli(&["events", "list", "--org", "acme", "--all"]).await?;
    Ok(events.as_array().context("events")?.len())
}

async fn nobody_goes_on_who_was_put_out(w: &mut World) -> Result<()> {
    let user = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"late"}"#;
    let label = r#"{"label":"late"}"#;
    let auditors = "POST /api/v1/organizations/acme/auditors";
    for kept in [true, false] {
        let operator = w.server.cli(&["operator", "add", "--label", "Grace"]).await?;
        let admin = w.server.cli(&["admin", "add", "--org", "acme", "--label", "Ada"]).await?;
        let token = w.server.cli(&["scim", "token", "issue", "--org", "acme"]).await?;
        let [operator_id, admin_id] = [field(&operator, "key_id")?, field(&admin, "key_id")?];
        let [operator, admin] = [field(&operator, "key")?, field(&admin, "key")?];
        let (token_id, token) = (field(&token, "token_id")?, field(&token, "token")?);
        let json = "application/json";
        let held = [
            Held::begin(w, auditors, json, &operator, label).await?,
            Held::begin(w, auditors, json, &admin, label).await?,
            Held::begin(w, "POST /scim/v2/Users", "application/scim+json", &token, user).await?,
        ];
        if !kept {
            w.server.cli(&["operator", "revoke", &operator_id]).await?;
            w.server.cli(&["admin", "revoke", "--org", "acme", &admin_id]).await?;
            w.server.cli(&["scim", "token", "revoke", "--org", "acme", &token_id]).await?;
        }
        let before = position(w).await?;
        for held in held {
            let status = held.end().await?;
            ensure!(status == if kept { 201 } else { 401 }, "{status} with a key, kept: {kept}");
        }
        let events = position(w).await? - before;
        ensure!(events == if kept { 3 } else { 0 }, "{events} events, kept: {kept}");
        if kept {
            w.server.cli(&["scim", "token", "revoke", "--org", "acme", &token_id]).await?;
        }
    }
    Ok(())
}
on_both!(nobody_goes_on_who_was_put_out);

async fn who_waits_is_told_no_more(w: &mut World) -> Result<()> {
    for (way, status) in [("remove", 401), ("pause", 403)] {
        let add = ["consumer", "add", "--org", "acme", "--kind", "pull", "--name", way];
        let added = w.server.cli(&add).await?;
        let url = field(&added, "feed_url")?;
        let token = field(&added, "token")?;
        let path = url.split_once("/api/").context("a path")?.1.to_owned();
        let head = position(w).await?;
        let http = w.scim.http().fresh();
        let asked = format!("/api/{path}?after={head}&wait=20");
        let request = rollcall_tests::http::Request::new("GET", &asked)
            .header("Authorization", format!("Bearer {token}"));
        let waiting = tokio::spawn(async move { http.send(request).await });
        tokio::time::sleep(Duration::from_millis(500)).await;
        w.server.cli(&["consumer", way, "--org", "acme", way]).await?;
        w.scim.create_user(&format!("{way}@contoso.example")).await?;
        let answer = waiting.await??;
        ensure!(answer.status == status, "{way}: {} {}", answer.status, answer.text());
        ensure!(!answer.text().contains("user.created"), "{}", answer.text());
    }
    Ok(())
}
on_both!(who_waits_is_told_no_more);
