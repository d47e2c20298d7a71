//! `rollcall replay`

use super::Exit;
use super::client::Client;
use super::exit::Unasked;
use super::output;
use crate::say;
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use futures::StreamExt;
use reqwest::Response;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::replay::{
    ExchangeLine, NotReplayed, ReplayLine, ReplayRequest, ReplayResult, ReplaySummary,
};
use rollcall_contract::request_line::{Nothing, Route};
use rollcall_contract::route;
use serde_json::json;
use std::io::IsTerminal as _;
use uuid::Uuid;

/// Recorded requests through today's code
#[derive(Debug, Subcommand)]
pub enum Replay {
    /// Replay exchanges in a fork of the log and compare; exit code 1 if events differ
    Verify {
        #[command(flatten)]
        choice: Choice,
        /// List every exchange, not only those that differ
        #[arg(long)]
        all: bool,
        /// Do not take this liberty, such as string-boolean: what would break?
        #[arg(long, value_name = "READING")]
        without: Vec<String>,
    },
    /// Show what exchanges would do now, those that failed if none are chosen; nothing is written
    DryRun {
        #[command(flatten)]
        choice: Choice,
        /// Do not take this liberty, such as string-boolean
        #[arg(long, value_name = "READING")]
        without: Vec<String>,
        /// Also those that succeeded, or that later requests have overtaken
        #[arg(long)]
        force: bool,
    },
    /// Submit exchanges again, for good; shows first what will become of them, and asks. Exit code
    /// 1 if one fails or is refused
    Apply {
        #[command(flatten)]
        choice: Choice,
        /// Also those that succeeded, or that later requests have overtaken: the plan lists each
        /// with what it may undo
        #[arg(long)]
        force: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Which exchanges.
#[derive(Clone, Debug, Args)]
pub struct Choice {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Only this exchange; may be given several times
    #[arg(long = "exchange", value_name = "ID")]
    exchanges: Vec<Uuid>,
    /// Only those of this run
    #[arg(long, value_name = "ID")]
    run: Option<Uuid>,
    /// Only those answered with an error
    #[arg(long)]
    failed: bool,
    /// From this position or time on, such as 17 or 2026-11-24T06:00:00Z
    #[arg(long, value_name = "POSITION|TIME")]
    from: Option<String>,
    /// Up to this position or time
    #[arg(long, value_name = "POSITION|TIME")]
    to: Option<String>,
}

impl Choice {
    /// Of which organization, and what of it.
    pub fn into_request(self) -> (String, ReplayRequest) {
        let Choice { org, exchanges, run, failed, from, to } = self;
        (org, ReplayRequest { exchanges, run, failed, from, to, ..ReplayRequest::default() })
    }
}

/// Runs it.
pub async fn run(command: Replay, client: Client) -> anyhow::Result<Exit> {
    let (name, route, (org, mut request)) = match &command {
        Replay::Verify { choice, .. } => {
            ("verify", &route::VERIFY_REPLAY, choice.clone().into_request())
        }
        Replay::DryRun { choice, .. } => {
            ("dry-run", &route::DRY_RUN_REPLAY, choice.clone().into_request())
        }
        Replay::Apply { choice, .. } => {
            ("apply", &route::APPLY_REPLAY, choice.clone().into_request())
        }
    };
    match command {
        Replay::Verify { all, without, .. } => (request.all, request.without) = (all, without),
        Replay::DryRun { without, force, .. } => {
            (request.without, request.force) = (without, force)
        }
        Replay::Apply { force, yes, .. } => {
            request.force = force;
            if !yes && !agreed(&client, &org, &request).await? {
                anyhow::bail!("nothing is submitted");
            }
        }
    }
    let (exchanges, summary) = carried_out(&client, route, &org, &request).await?;
    report(client.json, &exchanges, &summary)?;
    Ok(exit(name, &summary))
}

async fn carried_out(
    client: &Client,
    route: &Route<OrganizationPath, Nothing>,
    org: &str,
    request: &ReplayRequest,
) -> anyhow::Result<(Vec<ExchangeLine>, ReplaySummary)> {
    let line = route.line(&OrganizationPath::of(org), &Nothing)?;
    read(client.send_json(&line, request).await?).await
}

/// Shows what will become of the exchanges, and asks whether that is to be.
async fn agreed(client: &Client, org: &str, request: &ReplayRequest) -> anyhow::Result<bool> {
    if client.json || !std::io::stdin().is_terminal() {
        return Err(Unasked.into());
    }
    let (plan, summary) = carried_out(client, &route::DRY_RUN_REPLAY, org, request).await?;
    report(false, &plan, &summary)?;
    let n = plan.iter().filter(|x| x.result != ReplayResult::Refused).count();
    output::note(&format!("\nSubmit {n} of {} for good? [y/N]", plan.len()));
    let mut said = String::new();
    std::io::stdin().read_line(&mut said)?;
    Ok(matches!(said.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// How it ended: 1 if something did not come out as it should. Events that differ by a rule that
/// changed since they were recorded are as they should be.
pub fn exit(name: &str, summary: &ReplaySummary) -> Exit {
    if name == "verify" {
        let faults = summary.unexplained.get(&ReplayResult::EventsDiffer).copied().unwrap_or(0);
        return if faults > 0 { Exit::Difference } else { Exit::Success };
    }
    let bad: &[ReplayResult] = match name {
        "apply" => &[ReplayResult::Fails, ReplayResult::Refused],
        _ => &[],
    };
    if bad.iter().any(|result| summary.of(*result) > 0) { Exit::Difference } else { Exit::Success }
}

/// Reads the lines to the summary.
async fn read(response: Response) -> anyhow::Result<(Vec<ExchangeLine>, ReplaySummary)> {
    let mut chunks = response.bytes_stream();
    let (mut buffer, mut exchanges) = (Vec::new(), Vec::new());
    while let Some(chunk) = chunks.next().await {
        buffer.extend_from_slice(&chunk.context("the replay broke off")?);
        while let Some(end) = buffer.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            match serde_json::from_slice(&line)
                .context("the server's answer cannot be read: are both of the same version?")?
            {
                ReplayLine::Exchange(exchange) => exchanges.push(exchange),
                ReplayLine::Summary(summary) => return Ok((exchanges, summary)),
                ReplayLine::Broken { detail } => bail!("the replay broke off: {detail}"),
            }
        }
    }
    bail!("the replay broke off")
}

/// Prints what was told.
pub fn report(
    as_json: bool,
    exchanges: &[ExchangeLine],
    summary: &ReplaySummary,
) -> anyhow::Result<()> {
    if as_json {
        return output::json(&json!({ "summary": summary, "exchanges": exchanges }));
    }
    if !exchanges.is_empty() {
        output::table(
            &["NUMBER", "TIME", "OPERATION", "THEN", "NOW", "RESULT", "WHAT", "ID"],
            &exchanges.iter().map(row).collect::<Vec<_>>(),
        );
        say!();
    }
    for (exchange, difference) in
        exchanges.iter().flat_map(|x| x.differences.iter().map(move |d| (x, d)))
    {
        say!(
            "{} {}:\n  - {}\n  + {}",
            exchange.number,
            difference.what,
            difference.recorded,
            difference.now
        );
    }
    for (exchange, event) in exchanges.iter().flat_map(|x| x.events.iter().map(move |e| (x, e))) {
        say!("{} {} {} {}", exchange.number, event.event_type, event.subject, event.payload);
    }
    let mut pairs = vec![("Exchanges", summary.exchanges.to_string())];
    let results: Vec<String> =
        summary.results.iter().map(|(result, n)| format!("{n} {}", word(result))).collect();
    pairs.push(("Results", results.join(", ")));
    for (rule, n) in &summary.rules {
        pairs.push(("By a rule that changed", format!("{n}: {rule}")));
    }
    for (result, n) in &summary.unexplained {
        pairs.push(("Explained by no rule", format!("{n} {}", word(result))));
    }
    for (why, n) in &summary.not_replayed {
        pairs.push(("Not replayed", format!("{n}: {}", NotReplayed::words(*why))));
    }
    for (bulk, operations) in &summary.unrecorded_bulks {
        pairs.push((
            "Not recorded",
            format!(
                "bulk request {bulk}, of which {operations} operations are; nobody had its answer"
            ),
        ));
    }
    if let Some(forked_at) = summary.forked_at {
        pairs.push(("Forked at", forked_at.to_string()));
    }
    let copied = [
        (summary.records_of_no_exchange, "that no exchange caused"),
        (summary.records_of_others, "of exchanges that were not replayed"),
    ];
    for (n, what) in copied.into_iter().filter(|(n, _)| *n > 0) {
        pairs.push(("Copied", format!("{n} records {what}")));
    }
    if summary.records_same + summary.records_differ > 0 {
        pairs.push((
            "Records",
            format!(
                "{} byte for byte the same, {} not",
                summary.records_same, summary.records_differ
            ),
        ));
    }
    pairs.push(("Seconds", format!("{:.1}", summary.seconds)));
    output::pairs(&pairs);
    Ok(())
}

fn row(x: &ExchangeLine) -> Vec<String> {
    let what = x.reason.clone().unwrap_or_else(|| {
        let detail = x.now.as_ref().and_then(|now| now.detail.clone());
        let differences: Vec<&str> = x.differences.iter().map(|d| d.what.as_str()).collect();
        let what = detail.unwrap_or_else(|| differences.join(","));
        if x.rules.is_empty() { what } else { format!("[{}] {what}", x.rules.join(", ")) }
    });
    let now = x.now.as_ref().map_or("-".to_owned(), |now| now.status.to_string());
    let number = x.number.to_string();
    vec![
        number,
        output::instant(x.received_at),
        x.operation.clone(),
        x.recorded.status.to_string(),
        now,
        word(&x.result),
        what,
        x.id.to_string(),
    ]
}

fn word(result: &ReplayResult) -> String {
    serde_json::to_value(result)
        .ok()
        .and_then(|v| v.as_str().map(|s| s.replace('_', " ")))
        .unwrap_or_default()
}
