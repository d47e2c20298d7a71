//! Auditors read everything about their own organization, and leave a trail.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::{Answer, Request};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::Value;

/// A key for an organization.
async fn key(w: &World, org: &str, more: &[&str]) -> Result<(String, String)> {
    let issued = w
        .server
        .cli(&[&["auditor", "issue", "--org", org, "--label", "Year-end"], more].concat())
        .await?;
    let text = |name: &str| {
        issued[name].as_str().map(str::to_owned).with_context(|| format!("no {name} in {issued}"))
    };
    Ok((text("auditor_id")?, text("key")?))
}

async fn ask(w: &World, method: &str, target: &str, bearer: Option<&str>) -> Result<Answer> {
    let mut request = Request::new(method, target);
    if let Some(bearer) = bearer {
        request = request.header("Authorization", format!("Bearer {bearer}"));
    }
    if method == "POST" {
        request = request.header("Content-Type", "application/json").body("{}");
    }
    w.scim.http().fresh().send(request).await
}

#[tokio::test]
async fn a_key_ends_when_it_is_revoked_or_expires() {
    on_sqlite(async |w| {
        let (id, ours) = key(w, "acme", &[]).await?;
        let (_, brief) = key(w, "acme", &["--expires-in", "1s"]).await?;
        let events = "/api/v1/organizations/acme/events";
        ask(w, "GET", events, Some(&ours)).await?.expect(200)?;
        w.server.cli(&["auditor", "revoke", "--org", "acme", &id]).await?;
        ask(w, "GET", events, Some(&ours)).await?.expect(401)?;
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        ask(w, "GET", events, Some(&brief)).await?.expect(401)?;
        let states: Vec<Value> = w
            .server
            .cli(&["auditor", "list", "--org", "acme"])
            .await?
            .as_array()
            .into_iter()
            .flatten()
            .map(|a| a["state"].clone())
            .collect();
        ensure!(states == ["revoked", "expired"], "{states:?}");
        let unknown = w
            .server
            .command(&[
                "auditor",
                "revoke",
                "--org",
                "acme",
                "00000000-0000-0000-0000-000000000001",
            ])
            .await?;
        ensure!(!unknown.status.success(), "an unknown key was revoked");
        let nameless =
            w.server.command(&["auditor", "issue", "--org", "acme", "--label", " "]).await?;
        ensure!(
            String::from_utf8_lossy(&nameless.stderr)
                .contains("whom or what the auditor's key is for"),
            "{nameless:?}"
        );
        // The command line works with an auditor's key as well.
        let (_, third) = key(w, "acme", &[]).await?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("key");
        std::fs::write(&file, &third)?;
        let path = file.to_str().context("a path")?;
        let events = w.server.cli(&["events", "list", "--org", "acme", "--key-file", path]).await?;
        ensure!(events.as_array().is_some_and(|e| !e.is_empty()), "{events}");
        let write =
            w.server.command(&["scim", "disable", "--org", "acme", "--key-file", path]).await?;
        ensure!(!write.status.success(), "an auditor changed something");
        Ok(())
    })
    .await;
}
