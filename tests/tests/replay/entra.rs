//! A week of a simulated Entra, with all that goes wrong in it, comes out byte for byte.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::admin::Admin;
use rollcall_tests::server::Server;
use serde_json::Value;

#[tokio::test]
async fn a_week_of_entra_comes_out_byte_for_byte() -> Result<()> {
    let made = [
        "simulate",
        "history",
        "--days",
        "7",
        "--users",
        "200",
        "--seed",
        "5",
        "--start",
        "2026-03-02T06:00:00Z",
    ];
    let (server, said) = Server::start_on(&made).await?;
    let statuses = |class: u16| {
        said["statuses"]
            .as_object()
            .into_iter()
            .flatten()
            .any(|(s, _)| s.starts_with(&class.to_string()))
    };
    ensure!(
        statuses(2) && statuses(4) && said["undone"].is_null(),
        "a week without failures shows little: {said}"
    );
    let admin = Admin::new(server.address(), &server.operator_key()?);
    let kept = admin.all_exchanges("contoso").await?;
    let events = admin.events_after("contoso", 0).await?;
    let caused = events.iter().filter(|e| e["actor"]["kind"] != "operator").count() as u64;
    ensure!(
        kept.len() > 1_000 && caused > 400,
        "{} exchanges, {caused} events of theirs",
        kept.len()
    );

    let output = server.command(&["replay", "verify", "--org", "contoso"]).await?;
    let printed: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let summary = &printed["summary"];
    let differing = |x: &&Value| x["differences"].as_array().is_some_and(|d| !d.is_empty());
    let odd = printed["exchanges"].as_array().into_iter().flatten().find(differing);
    ensure!(
        output.status.code() == Some(0) && odd.is_none(),
        "{:?}, {summary}, first {odd:?}",
        output.status
    );
    ensure!(
        summary["exchanges"] == kept.len() && summary["records_differ"] == 0,
        "{summary} of {}",
        kept.len()
    );
    // What the operator did after the last exchange is beyond the replay.
    let replayed = |e: &&Value| e["position"].as_u64() <= summary["ended_at"].as_u64();
    let uncaused = events.iter().filter(replayed).count() as u64 - caused;
    ensure!(summary["records_of_others"] == uncaused, "{summary}, {caused} of {}", events.len());
    ensure!(
        summary["records_of_no_exchange"] == 0 && summary["records_same"] == caused,
        "{caused} records, {summary}"
    );
    // What is not replayed told about the server and not about the request, and caused nothing.
    let kinds: Vec<&String> =
        summary["not_replayed"].as_object().into_iter().flatten().map(|(kind, _)| kind).collect();
    ensure!(
        kinds.iter().all(|kind| ["server_trouble", "other_protocol"].contains(&kind.as_str())),
        "{summary}"
    );
    println!("{} exchanges, {} records: {summary}", kept.len(), events.len());
    Ok(())
}
