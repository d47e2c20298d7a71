//! The log knows itself: one that went backwards, or another one in its place, is noticed before
//! anything is answered by it, and serves nobody until an operator has accepted it.

mod clocks;
mod failover;
mod folder;
mod health;
mod restore;

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::admin::{Admin, gapless};
use rollcall_tests::operating;
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::user;
use rollcall_tests::server::Server;
use rollcall_tests::world::World;
use serde_json::Value;

/// Whoever stands at a closed server's doors: nothing is served, and everybody is told why.
async fn is_closed(w: &World, reason: &str) -> Result<()> {
    let told = w.admin.get_anonymous("/readyz").await?.expect_json(503)?;
    ensure!(told["closed"]["reason"] == reason && told["ready"] == false, "{told}");
    let detail = told["closed"]["detail"].as_str().context("a sentence")?;
    for path in ["/Users", "/ServiceProviderConfig", "/Users/nobody"] {
        let answer = w.scim.get(path).await?;
        ensure!(answer.header("retry-after").is_some(), "{answer:?}");
        refused(answer, 503, None)?;
    }
    refused(w.scim.post("/Users", &user("mallory@contoso.example")).await?, 503, None)?;
    for target in ["/api/v1/organizations", "/api/v1/backup", "/saml/acme/metadata", "/"] {
        let told = w.admin.get(target).await?.expect(503)?;
        ensure!(!told.text().contains(&w.acme.id), "{target} tells whose log: {}", told.text());
    }
    w.admin.get_anonymous("/healthz").await?.expect(200)?;
    let metrics = w.admin.get_anonymous("/metrics").await?.expect(200)?.text();
    let line = format!("rollcall_log_closed{{reason=\"{reason}\"}} 1");
    ensure!(metrics.contains(&line), "no {line}");
    let shown = w.server.command(&["log", "show"]).await?;
    ensure!(shown.status.code() == Some(1), "{shown:?}");
    let shown: Value = serde_json::from_slice(&shown.stdout)?;
    ensure!(shown["closed"]["detail"] == detail && shown["closed"]["reason"] == reason, "{shown}");
    operating::row(reason)?;
    let log = std::fs::read_to_string(w.server.log_file())?;
    let line = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut line = line.filter(|line| line["fields"]["reason"] == reason);
    ensure!(line.any(|line| line["fields"]["message"] == detail), "the log does not say: {detail}");
    Ok(())
}

/// An operator accepts the log, and all is well: it says so itself, and the views are as it says.
async fn accept(server: &Server, admin: &Admin, reason: &str) -> Result<Value> {
    let refused = server.command(&["log", "accept", "--because", " "]).await?;
    ensure!(refused.status.code() == Some(2), "{refused:?}");
    let before = server.command(&["log", "show"]).await?;
    let before: Value = serde_json::from_slice(&before.stdout)?;
    let because = "the disk is gone, and this is all there is";
    let after = server.cli(&["log", "accept", "--because", because]).await?;
    ensure!(after["closed"].is_null() && after["epoch"] != before["epoch"], "{before} {after}");
    admin.get_anonymous("/readyz").await?.expect(200)?;
    let events = admin.events_after("none", 0).await?;
    gapless(&events, 0)?;
    let accepted: Vec<&Value> = events.iter().filter(|e| e["type"] == "LogAccepted").collect();
    let last = accepted.last().context("an event")?;
    let said = &last["payload"];
    ensure!(said["because"] == because && said["noticed"] == reason, "{last}");
    ensure!(said["next_epoch"] == after["epoch"] && last["actor"]["kind"] == "operator", "{last}");
    for lost in before["lost"].as_array().context("a list")? {
        let told = said["lost"].as_array().into_iter().flatten();
        let mut told = told.filter(|told| told["organization"] == lost["organization_id"]);
        ensure!(told.any(|told| told["known_position"] == lost["known_position"]), "{last}");
    }
    server.cli(&["views", "verify"]).await.with_context(|| server.log_tail(60))?;
    let again = server.command(&["log", "accept", "--because", "once more"]).await?;
    ensure!(again.status.code() == Some(3), "there was nothing to accept: {again:?}");
    Ok(said.clone())
}

/// The directory answers, and takes what comes; and its ledger holds, but for checkpoints of before
/// that know more than what was accepted.
async fn serves(w: &World, name: &str) -> Result<()> {
    takes(w, name).await?;
    let audit = ["ledger", "audit", "--org", "acme"];
    let told: Value = serde_json::from_slice(&w.server.command(&audit).await?.stdout)?;
    let findings = told["findings"].as_array().context("findings")?;
    let is_known = findings.iter().all(|found| found["kind"] == "another_log");
    ensure!(told["unchanged"] == true && is_known, "{told}");
    Ok(())
}

/// The same of one of two servers, which sign with keys of their own here.
async fn takes(w: &World, name: &str) -> Result<()> {
    let id = w.scim.create_user(name).await?;
    w.scim.get(&format!("/Users/{id}")).await?.expect(200)?;
    gapless(&w.admin.events_after(&w.acme.id, 0).await?, 0).map(drop)
}
