//! Auditors read everything about their own organization, and leave a trail.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::{Answer, Request};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::Value;

/// A key for an organization.
async fn key(w: &World, org: &str, more: &[&str]) -> Result<(String, String)> {
    let issued = w.server.cli(&[&["auditor", "issue", "--org", org, "--label", "Year-end"], more].concat()).await?;
    let text = |name: &str| issued[name].as_str().map(str::to_owned).with_context(|| format!("no {name} in {issued}"));
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

/// A path of the description with something in place of its parameters.
fn filled(path: &str, organization: &str) -> String {
    let mut out = path.replace("{organization}", organization).replace("{position}", "1");
    while let (Some(open), Some(close)) = (out.find('{'), out.find('}')) {
        out.replace_range(open..=close, "00000000-0000-0000-0000-000000000001");
    }
    let query = if path.ends_with("/diff") { "?from=position:1" } else { "" };
    format!("{out}{query}")
}

#[tokio::test]
async fn every_route_lets_in_whom_its_description_names_and_nobody_else() {
    on_sqlite(async |w| {
        w.another("Globex", "globex").await?;
        let (_, ours) = key(w, "acme", &[]).await?;
        let (_, theirs) = key(w, "globex", &[]).await?;
        let token = w.scim.token().context("a token")?.to_owned();
        let operator = w.server.operator_key()?;
        let document = w.admin.get_anonymous("/api/v1/openapi.json").await?.expect_json(200)?;
        let (mut for_auditors, mut all) = (0, 0);
        for (path, operations) in document["paths"].as_object().context("paths")? {
            for (method, operation) in operations.as_object().context("operations")?.iter().filter(|(_, o)| o["security"].is_array()) {
                let method = method.to_uppercase();
                let target = filled(path, "acme");
                let names = |scheme: &str| operation["security"].as_array().into_iter().flatten().any(|s| s.get(scheme).is_some());
                if !names("operator") {
                    continue;
                }
                all += 1;
                for (who, bearer) in [("nobody", None), ("a SCIM client", Some(token.as_str())), ("a wrong key", Some("rollcall_audit_x"))]
                {
                    let status = ask(w, &method, &target, bearer).await?.status;
                    ensure!(status == 401, "{method} {target} answers {status} to {who}");
                }
                let (our, their) =
                    (ask(w, &method, &target, Some(&ours)).await?.status, ask(w, &method, &target, Some(&theirs)).await?.status);
                if names("auditor") {
                    for_auditors += 1;
                    ensure!(method == "GET", "{method} {target} would let an auditor write");
                    ensure!(our != 401 && our < 500, "{method} {target} answers {our} to its auditor");
                    ensure!(their == 404, "{method} {target} answers {their} to another organization's auditor");
                    let status = ask(w, &method, &target, Some(&operator)).await?.status;
                    ensure!(status == our, "{method} {target} answers {status} to the operator, {our} to the auditor");
                    let none = ask(w, &method, &filled(path, "none"), Some(&ours)).await?.status;
                    ensure!(none == 404, "{method} {path} shows an auditor what belongs to no organization: {none}");
                } else {
                    ensure!((our, their) == (401, 401), "{method} {target} answers {our} and {their} to auditors");
                }
            }
        }
        ensure!(for_auditors >= 14 && all > for_auditors + 10, "{for_auditors} of {all} routes are for auditors");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn reads_of_auditors_are_kept_and_so_are_refused_ones() {
    on_sqlite(async |w| {
        w.another("Globex", "globex").await?;
        let (id, ours) = key(w, "acme", &[]).await?;
        let answer = ask(w, "GET", "/api/v1/organizations/acme/events?type=OrganizationCreated", Some(&ours)).await?.expect(200)?;
        let exchange = answer.header("exchange-id").context("an exchange id")?.to_owned();
        ask(w, "GET", "/api/v1/organizations/globex/events", Some(&ours)).await?.expect(404)?;
        ask(w, "GET", "/api/v1/organizations/acme/users", Some("rollcall_audit_wrong")).await?.expect(401)?;
        let kept = w.admin.exchanges("acme").await?;
        let told: Vec<_> = kept.iter().filter(|x| x["operation"].as_str().is_some_and(|o| o.starts_with("audit."))).collect();
        ensure!(told.len() == 2, "{told:?}");
        ensure!(told[0]["id"] == exchange && told[0]["operation"] == "audit.events.list" && told[0]["status"] == 200, "{told:?}");
        ensure!(told[1]["status"] == 404 && told[1]["target"].as_str().is_some_and(|t| t.contains("globex")), "{told:?}");
        let shown = w.server.cli(&["exchanges", "show", "--org", "acme", &exchange]).await?;
        ensure!(shown["exchange"]["caller"]["auditor"] == id.as_str() && shown["exchange"]["protocol"] == "audit", "{shown}");
        ensure!(!shown.to_string().contains(&ours), "the key is kept");
        let strangers = w.admin.exchanges("none").await?;
        let refused = strangers.last().context("a refused exchange")?;
        ensure!(refused["operation"] == "audit.users.list" && refused["status"] == 401, "{refused}");
        // The operator, whose log it is, leaves no trail by reading.
        ensure!(w.admin.exchanges("acme").await?.len() == kept.len());
        let listed = w.server.cli(&["auditor", "list", "--org", "acme"]).await?;
        ensure!(listed[0]["state"] == "live" && listed[0]["last_used_at"].is_string() && listed[0]["label"] == "Year-end", "{listed}");
        w.server.cli(&["views", "verify"]).await?;
        Ok(())
    })
    .await;
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
        let unknown = w.server.command(&["auditor", "revoke", "--org", "acme", "00000000-0000-0000-0000-000000000001"]).await?;
        ensure!(!unknown.status.success(), "an unknown key was revoked");
        let nameless = w.server.command(&["auditor", "issue", "--org", "acme", "--label", " "]).await?;
        ensure!(String::from_utf8_lossy(&nameless.stderr).contains("whom the key is for"), "{nameless:?}");
        // The command line works with an auditor's key as well.
        let (_, third) = key(w, "acme", &[]).await?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("key");
        std::fs::write(&file, &third)?;
        let path = file.to_str().context("a path")?;
        let events = w.server.cli(&["events", "list", "--org", "acme", "--key-file", path]).await?;
        ensure!(events.as_array().is_some_and(|e| !e.is_empty()), "{events}");
        let write = w.server.command(&["scim", "disable", "--org", "acme", "--key-file", path]).await?;
        ensure!(!write.status.success(), "an auditor changed something");
        Ok(())
    })
    .await;
}
